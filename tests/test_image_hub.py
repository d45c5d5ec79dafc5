"""Any data set of images and classes on the Hub: its files, splits and columns are found."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub import StandIn
from pictures import CLASSES, COUNT, HUB, OTHERS, TRAIN, pictures, write_hub

from credit_envs.datasets import describe, load, open_data


def counts(**options):
    dataset = {"hub": HUB, **options}
    return [len(load(dataset, split).labels) for split in ("train+validation", "test")]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"),
        (
            "plain/train-00000-of-00001-0123456789abcdef.parquet",
            "plain/test-00000-of-00001.parquet",
        ),
        ("train.parquet", "validation.parquet"),
        ("default/train/0000.parquet", "default/valid/0000.parquet"),
    ],
)
def test_files_are_found_as_the_hub_lays_them_out(repo, train, test):
    write_hub(repo / train, pictures())
    write_hub(repo / test, pictures(OTHERS, seed=1))
    assert counts() == [COUNT, OTHERS]
    assert open_data({"hub": HUB}).row.class_names == CLASSES


def test_shards_are_joined(repo):
    made = pictures()
    for shard, rows in enumerate(np.array_split(np.arange(COUNT), 3)):
        part = type(made)(made.images[rows], made.labels[rows])
        write_hub(repo / f"data/train-{shard:05}-of-00003.parquet", part)
    found = load({"hub": HUB}, "train+validation").images
    rest = load({"hub": HUB}, "test").images
    assert sorted(map(bytes, (*found, *rest))) == sorted(map(bytes, made.images))


def test_config_and_splits_can_be_named(repo):
    for config, seed in (("a", 1), ("b", 2)):
        write_hub(repo / config / "train.parquet", pictures(seed=seed))
        write_hub(repo / config / "extra.parquet", pictures(OTHERS, seed=seed + 5))
    assert counts(config="b") == [COUNT * 4 // 5, COUNT // 5]
    assert counts(config="b", test="extra") == [COUNT, OTHERS]
    assert counts(config="a", train="extra", test="train") == [OTHERS, COUNT]
    trains = [bytes(load({"hub": HUB, "config": c}, "train").images) for c in "ab"]
    assert trains[0] != trains[1]


def test_columns_can_be_named(repo):
    made, rng = pictures(), np.random.default_rng(3)
    write_hub(repo / TRAIN, made, breed=rng.integers(0, 3, COUNT))
    coarse, fine = (load({"hub": HUB, "label": name}, "train") for name in ("label", "breed"))
    by_pixels = {bytes(x): y for x, y in zip(*made, strict=True)}
    assert [by_pixels[bytes(x)] for x in coarse.images] == coarse.labels.tolist()
    assert [by_pixels[bytes(x)] for x in fine.images] != fine.labels.tolist()


def test_columns_are_found_without_what_the_library_datasets_notes(repo):
    write_hub(repo / TRAIN, pictures(), features=False)
    row = open_data({"hub": HUB}).row
    assert (row.classes, row.class_names) == (3, ())


def test_images_may_be_plain_bytes(repo):
    file = write_hub(repo / TRAIN, pictures(), features=False)
    table = pq.read_table(file)
    for kind in (pa.binary(), pa.large_binary()):
        images = pa.array([image["bytes"] for image in table["image"].to_pylist()], kind)
        pq.write_table(table.set_column(0, "image", images), file)
        assert counts(config=["data", None][kind == pa.binary()]) == [COUNT * 4 // 5, COUNT // 5]


def test_an_integer_column_beside_the_classes_is_no_candidate(repo):
    file = write_hub(repo / TRAIN, pictures())
    table = pq.read_table(file)
    pq.write_table(table.append_column("id", pa.array(range(COUNT))), file)
    assert counts() == [COUNT * 4 // 5, COUNT // 5]
    assert open_data({"hub": HUB, "label": "id"}).row.classes == COUNT


def test_its_row_needs_no_download_once_it_was_read(repo, monkeypatch):
    with pytest.raises(FileNotFoundError, match="not on this machine"):
        describe({"hub": HUB})
    write_hub(repo / TRAIN, pictures())
    load({"hub": HUB}, "train")
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", "nowhere")
    assert describe({"hub": HUB}).classes == 3


@pytest.fixture
def fetch(tmp_path):
    """Load it in a new process from a Hub; gives exit code, and output or the last error."""

    def fetch(url, cache="cache", **settings):
        code = (
            "from credit_envs.datasets import open_data\n"
            f"print(open_data({{'hub': {HUB!r}}}).row.key())\n"
        )
        environment = {
            "CREDIT_ENVS_CACHE": str(tmp_path / cache), "HF_HOME": str(tmp_path / "hf"),
            "HF_ENDPOINT": url, "PYTHONPATH": ":".join(sys.path), **settings,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment
        )
        return done.returncode, (done.stdout or done.stderr).strip().splitlines()[-1]

    return fetch


def test_it_is_downloaded_and_offline_found_again(tmp_path, monkeypatch, fetch):
    served = tmp_path / "served"
    write_hub(served / HUB / TRAIN, pictures())
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(served))
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "here"))
    known = 0, open_data({"hub": HUB}).row.key()
    with StandIn(served) as hub:
        assert fetch(hub.url) == known
    assert fetch(hub.url, "another", HF_HUB_OFFLINE="1") == known
    code, said = fetch(hub.url, "third", HF_HOME=str(tmp_path / "none"))
    assert code == 1
    assert said.startswith(f"ConnectionError: {HUB} is not in the cache and could not be down")


def test_what_the_hub_made_of_other_formats_is_taken(tmp_path, fetch):
    served = tmp_path / "served"
    (served / HUB / "cat").mkdir(parents=True)
    (served / HUB / "cat" / "1.png").touch()
    write_hub(served / f"{HUB}@converted" / "default/train/0000.parquet", pictures())
    with StandIn(served) as hub:
        code, said = fetch(hub.url)
    assert code == 0, said
