"""A data set of the Hub from which no environment can be made is refused in one sentence."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pictures import HUB, OTHERS, TRAIN, pictures, write_hub

from credit_envs.datasets import load
from credit_envs.digests import CorruptData


def unlabelled_test(repo):
    write_hub(repo / TRAIN, pictures())
    file = write_hub(repo / "data/test.parquet", pictures(OTHERS))
    pq.write_table(pq.read_table(file, columns=["image"]), file)
    return {}, "data/test.parquet cannot be read .KeyError: .*label"


def two_labels(repo):
    write_hub(repo / TRAIN, pictures(), breed=pictures().labels)
    return {}, "someone/pictures has several label columns, 'label', 'breed': name one as label"


def two_images(repo):
    file = write_hub(repo / TRAIN, pictures(), features=False)
    table = pq.read_table(file)
    pq.write_table(table.append_column("depth", table["image"]), file)
    return {}, "several image columns, 'image', 'depth': name one as image"


def no_images(repo):
    repo.mkdir(parents=True)
    (repo / "data").mkdir()
    pq.write_table(pa.table({"text": ["a"], "label": [0]}), repo / TRAIN)
    return {}, "has no column that holds encoded images; its columns are 'text' .string., 'label'"


def no_labels(repo):
    file = write_hub(repo / TRAIN, pictures())
    pq.write_table(pq.read_table(file, columns=["image"]), file)
    return {}, "has no column that holds classes as integers; its columns are 'image'"


def unknown_column(repo):
    write_hub(repo / TRAIN, pictures())
    return {"label": "breed"}, "has no label column 'breed'; its columns are 'image' .*'label'"


def unknown_config(repo):
    write_hub(repo / TRAIN, pictures())
    return {"config": "x"}, "has no config 'x', only 'data'"


def unknown_split(repo):
    write_hub(repo / "data/everything.parquet", pictures())
    return {}, "has no split 'train', only 'everything': name one as train"


def unknown_test(repo):
    write_hub(repo / TRAIN, pictures())
    return {"test": "dev"}, "has no split 'dev', only 'train': name one as test"


def trained_on_the_test_split(repo):
    write_hub(repo / TRAIN, pictures())
    return {"test": "train"}, "train and test are the same split of someone/pictures, 'train'"


def two_configs(repo):
    for config in "ab":
        write_hub(repo / config / "train.parquet", pictures())
    return {}, "has several configs, 'a', 'b': name one as config"


def hidden_labels(repo):
    write_hub(repo / TRAIN, pictures())
    hidden = pictures(OTHERS, seed=1)
    hidden.labels[:] = -1
    write_hub(repo / "data/test.parquet", hidden)
    return {}, "the test labels are in -1..-1, but those of the 3 classes named are 0..2"


def no_label(repo):
    write_hub(repo / TRAIN, pictures(12))
    table = pq.read_table(repo / TRAIN)
    labels = pa.array([0, 1, None, *[2] * 9])
    pq.write_table(table.set_column(1, "label", labels), repo / TRAIN)
    return {"label": "label"}, "row 2 of .*train.* has no class"


@pytest.mark.parametrize(
    "fault",
    [two_labels, two_images, no_images, no_labels, unknown_column, unknown_config, unknown_split,
     unknown_test, two_configs, hidden_labels, no_label, unlabelled_test],
)  # fmt: skip
def test_what_is_wrong_with_a_data_set_is_one_sentence(repo, fault):
    options, said = fault(repo)
    with pytest.raises(ValueError, match=said) as raised:
        load({"hub": HUB, **options}, "train")
    assert "\n" not in str(raised.value)


def test_a_broken_image_is_named(repo):
    file = write_hub(repo / TRAIN, pictures())
    table = pq.read_table(file)
    images = [*table["image"].to_pylist()]
    images[7]["bytes"] = images[7]["bytes"][:40]
    pq.write_table(table.set_column(0, "image", pa.array(images, table["image"].type)), file)
    with pytest.raises(CorruptData, match=f"row 7 of {re.escape(str(file))} cannot be read as an"):
        load({"hub": HUB}, "train")


def test_a_mirror_without_the_set_is_said(repo):
    with pytest.raises(FileNotFoundError, match=r"a mirror .CREDIT_ENVS_MIRROR. has to hold"):
        load({"hub": HUB}, "train")
