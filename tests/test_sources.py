"""A source that is damaged, or not there, is said with its path and what to do."""

import re
from dataclasses import replace

import pytest
import toy as toys

from credit_envs.datasets import load
from credit_envs.digests import CorruptData


@pytest.fixture
def toy(tmp_path, monkeypatch) -> toys.Toy:
    toy = toys.make_toy(tmp_path / "mirror")
    toys.install(toy, tmp_path / "cache", monkeypatch)
    return toy


def truncate(toy: toys.Toy) -> None:
    file = next(toy.folder.glob("test-*"))
    file.write_bytes(file.read_bytes()[:-200])


def alter_a_pixel(toy: toys.Toy) -> None:
    images, labels = (array.copy() for array in toy.parts["test"])
    images[3, 2, 1, 0] ^= 1
    toys.write_shards(toy.folder, "test", [toys.encode(image) for image in images], labels)


def drop_an_image(toy: toys.Toy) -> None:
    images, labels = toy.parts["test"]
    toys.write_shards(toy.folder, "test", [toys.encode(x) for x in images[1:]], labels[1:])


def turn_an_image(toy: toys.Toy) -> None:
    images, labels = toy.parts["test"]
    encoded = [toys.encode(image) for image in images]
    encoded[5] = toys.encode(images[5].swapaxes(0, 1))
    toys.write_shards(toy.folder, "test", encoded, labels)


def break_an_image(toy: toys.Toy) -> None:
    images, labels = toy.parts["test"]
    encoded = [toys.encode(image) for image in images]
    encoded[5] = encoded[5][:60]
    toys.write_shards(toy.folder, "test", encoded, labels)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncate, "cannot be read"),
        (alter_a_pixel, "has images of digest .* instead of .* not Toy's test set"),
        (drop_an_image, "has 11 images instead of 12"),
        (turn_an_image, r"an image of \(6, 5\) pixels instead of \(5, 6\)"),
        (break_an_image, "cannot be read"),
    ],
)
def test_a_damaged_source_is_said_with_its_file(toy, tmp_path, damage, said):
    damage(toy)
    file = re.escape(str(next(toy.folder.glob("test-*"))))
    with pytest.raises(CorruptData, match=f"^{file} .*{said}.*: delete or replace it"):
        load("Toy", "test")
    assert not (tmp_path / "cache" / "Toy.safetensors").exists()


def test_a_missing_column_is_said(toy, tmp_path, monkeypatch):
    toy.row = replace(toy.row, source=replace(toy.row.source, label="fine_label"))
    toys.install(toy, tmp_path / "cache", monkeypatch)
    with pytest.raises(CorruptData, match="fine_label"):
        load("Toy", "test")


def test_labels_beyond_the_classes_are_said_where_no_digest_is_published(
    toy, tmp_path, monkeypatch
):
    toy.row = replace(toy.row, classes=2, train_digest=None, test_digest=None)
    toys.install(toy, tmp_path / "cache", monkeypatch)
    with pytest.raises(CorruptData, match=r"labels outside 0\.\.1"):
        load("Toy", "test")


def test_a_mirror_without_the_set_is_said_with_the_path(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(tmp_path / "empty"))
    path = re.escape(f"{tmp_path}/empty/someone/toy/plain/train-*.parquet")
    with pytest.raises(FileNotFoundError, match=f"no {path}: a mirror .CREDIT_ENVS_MIRROR. has to"):
        load("Toy", "test")
