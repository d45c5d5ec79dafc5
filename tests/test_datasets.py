"""The images are the published ones, whole and in one order, wherever they come from."""

import hashlib
import os
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
import toy as toys
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from credit_envs.datasets import DATASETS, load, verify
from credit_envs.splits import SPLITS

needs_mirror = pytest.mark.skipif(
    "CREDIT_ENVS_MIRROR" not in os.environ, reason="needs the folder CREDIT_ENVS_MIRROR"
)


def test_every_row_stands_under_its_name():
    assert all(name == row.name for name, row in DATASETS.items())


def test_the_images_are_whole_and_the_published_ones(dataset):
    row = DATASETS[dataset]
    for split, count, published in (
        ("train+validation", row.train, row.train_digest),
        ("test", row.test, row.test_digest),
    ):
        images, labels = load(dataset, split)
        assert images.shape == (count, *row.shape)
        assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
        assert (images.min(), images.max()) == (0, 255)  # read as signed bytes they would wrap
        assert set(labels.tolist()) == set(range(row.classes))
        pairs = zip(images, labels, strict=True)
        digests = [toys.digest(image.tobytes(), label) for image, label in pairs]
        assert toys.total(digests) == published
        assert digests == sorted(digests)
    verify(dataset)


def test_validation_is_the_last_tenth_of_the_training_images(dataset):
    whole, train = load(dataset, "train+validation"), load(dataset, "train")
    validation = load(dataset, "validation")
    assert len(validation.labels) == DATASETS[dataset].train // 10
    assert len(train.labels) + len(validation.labels) == len(whole.labels)
    for part, joined in zip(zip(train, validation, strict=True), whole, strict=True):
        np.testing.assert_array_equal(np.concatenate(part), joined)


@pytest.fixture(scope="module")
def mnist_parts():
    """MNIST in its original order, before ours."""
    return DATASETS["MNIST"].source.read((28, 28, 1))


@needs_mirror
@pytest.mark.parametrize(
    ("part", "md5"),
    [(0, "6bbc9ace898e44ae57da46a324031adb"), (1, "2646ac647ad5339dbf082846283269ea")],
    ids=["train", "test"],
)
def test_mnist_has_the_md5_of_the_original_files(mnist_parts, part, md5):
    pixels = mnist_parts[part].pixels
    idx = struct.pack(">4i", 0x803, len(pixels), 28, 28) + pixels.tobytes()
    assert hashlib.md5(idx).hexdigest() == md5


@needs_mirror
@pytest.mark.parametrize(
    ("name", "means", "deviations"),
    [
        ("CIFAR10", [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
        ("CIFAR100", [0.5071, 0.4865, 0.4409], [0.2673, 0.2564, 0.2762]),
    ],
)
def test_cifar_has_the_published_means_and_deviations(name, means, deviations):
    images = load(name, "train+validation").images
    assert np.round(images.mean((0, 1, 2)) / 255, 4).tolist() == means
    counts = [np.bincount(images[..., channel].ravel(), minlength=256) for channel in range(3)]
    for count, mean, deviation in zip(counts, means, deviations, strict=True):
        spread = (count / count.sum()) @ (np.arange(256) / 255 - mean) ** 2
        assert spread**0.5 == pytest.approx(deviation, abs=1e-4)


def test_digits_are_those_of_scikit_learn():
    raw = load_digits()
    pixels = np.round(raw.images * 255 / 16).astype(np.uint8)
    pairs = zip(pixels, raw.target, strict=True)
    known = sorted(toys.digest(image.tobytes(), label) for image, label in pairs)
    found = [
        toys.digest(image.tobytes(), label)
        for split in ("train", "validation", "test")
        for image, label in zip(*load("Digits", split), strict=True)
    ]
    assert found == known


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**32 - 1), shards=st.integers(1, 5), form=st.sampled_from(["PNG", "WEBP"])
)
def test_order_shards_and_encoding_of_the_source_do_not_matter(
    tmp_path_factory, seed, shards, form
):
    folder = tmp_path_factory.mktemp("shuffled")
    toy = toys.make_toy(folder / "mirror")
    rng = np.random.default_rng(seed)
    for part, (images, labels) in toy.parts.items():
        order = rng.permutation(len(labels))
        encoded = [toys.encode(images[row], form) for row in order]
        toys.write_shards(toy.folder, part, encoded, labels[order], shards)
    with pytest.MonkeyPatch.context() as monkeypatch:
        toys.install(toy, folder / "cache", monkeypatch)
        toys.check_toy(toy, load("Toy", "train+validation"))
        toys.check_toy(toy, load("Toy", "test"))


def test_lossy_images_are_rgb_in_the_order_of_their_encoded_bytes(tmp_path, monkeypatch):
    toy, _ = toys.make_jpeg_toy(tmp_path / "mirror")
    toys.install(toy, tmp_path / "cache", monkeypatch)
    for split in ("train+validation", "test"):
        toys.check_toy(toy, load("Toy", split))
    gray = (load("Toy", "test").images.std(-1) == 0).all((1, 2))
    assert gray.sum() == len(gray) // 2


@pytest.mark.parametrize("name", ["mnist", "", None, ["MNIST"]])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match=r"unknown data set .*: choose one of Digits, MNIST, "):
        load(name, "train")
    with pytest.raises(ValueError, match="unknown data set"):
        verify(name)


@pytest.mark.parametrize("split", ["valid", "", None, 0])
def test_an_unknown_split_is_refused_with_the_known_ones(split):
    with pytest.raises(ValueError, match=re.escape(f"choose one of {', '.join(SPLITS)}")):
        load("Digits", split)


def test_importing_the_table_loads_no_heavy_library():
    heavy = {"PIL", "filelock", "huggingface_hub", "pyarrow", "safetensors", "sklearn", "torch"}
    program = "import sys, credit_envs.datasets; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert heavy.isdisjoint(loaded.stdout.decode().split())
