"""A damaged cache file is found, said and built again: no altered byte reaches a learner."""

import json
import os
import warnings
from dataclasses import replace

import pytest
import toy as toys
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_envs.datasets import load, verify
from credit_envs.digests import CorruptData


def rewrite_header(content: bytes, change) -> bytes:
    """The file's bytes after `change` of its header, a dict."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def alter_a_label(content: bytes) -> bytes:
    start = 8 + int.from_bytes(content[:8], "little")
    return content[: start + 6] + b"\x01" + content[start + 7 :]  # 2**48 more: not even 2 bytes


def swap_two_images(content: bytes) -> bytes:
    size = 6 * 5 * 3
    return content[: -2 * size] + content[-size:] + content[-2 * size : -size]


DAMAGES = {
    "empty": lambda content: b"",
    "cut in the length": lambda content: content[:5],
    "cut in the header": lambda content: content[:100],
    "cut in the images": lambda content: content[:-1],
    "too long": lambda content: content + b"x",
    "not safetensors": lambda content: b"<html>" * 1000,
    "a huge header length": lambda content: b"\xff" * 8 + content[8:],
    "a list for a header": lambda content: (4).to_bytes(8, "little") + b"[1 ]" + content[8:],
    "a header too deep": lambda content: (10**5).to_bytes(8, "little") + b"[" * 10**5,
    "no metadata": lambda content: rewrite_header(content, lambda h: h.pop("__metadata__")),
    "another format": lambda content: rewrite_header(
        content, lambda h: h["__metadata__"].update(format="credit-envs 0")
    ),
    "another data set": lambda content: rewrite_header(
        content, lambda h: h["__metadata__"].update(dataset="MNIST")
    ),
    "another digest": lambda content: rewrite_header(
        content, lambda h: h["__metadata__"].update(test_source="0" * 64)
    ),
    "another shape": lambda content: rewrite_header(
        content, lambda h: h["test_images"].update(shape=[12, 5, 6, 3])
    ),
    "an altered pixel": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "an impossible label": alter_a_label,
    "two images swapped": swap_two_images,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_said_and_mended(toy, filled, tmp_path, monkeypatch, damage):
    file = toys.move_cache(filled, tmp_path / "other", monkeypatch)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(UserWarning, match=f"cache file {file} is damaged .*: it is built again"):
        split = load("Toy", "test")
    toys.check_toy(toy, split)
    verify("Toy")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_verify_finds_damage_that_kept_the_time(filled, damage):
    before = filled.stat()
    filled.write_bytes(damage(filled.read_bytes()))
    os.utime(filled, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(CorruptData, match=f"cache file {filled} is damaged .*: delete it"):
        verify("Toy")


def test_damage_without_a_source_is_one_clear_error(filled, tmp_path, monkeypatch):
    file = toys.move_cache(filled, tmp_path / "other", monkeypatch)
    file.write_bytes(file.read_bytes()[:-1])
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(tmp_path / "nowhere"))
    with (
        pytest.warns(UserWarning, match="is damaged"),
        pytest.raises(FileNotFoundError, match=f"{tmp_path}/nowhere/someone/toy/plain/train-"),
    ):
        load("Toy", "test")


def test_a_file_filled_by_another_table_is_not_used(toy, filled, tmp_path, monkeypatch):
    toy.row = replace(toy.row, test_digest="0" * 64)
    toys.install(toy, filled.parent, monkeypatch)
    with (
        pytest.warns(UserWarning, match="its test images are not the published ones"),
        pytest.raises(CorruptData, match="images of digest"),
    ):
        load("Toy", "test")


@settings(max_examples=60)
@given(data=st.data())
def test_no_altered_byte_reaches_a_learner(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("altered")
    with pytest.MonkeyPatch.context() as monkeypatch:
        toy = toys.make_toy(folder / "mirror")
        toys.install(toy, folder / "cache", monkeypatch)
        load("Toy", "test")
        file = toys.move_cache(folder / "cache" / "Toy.safetensors", folder / "other", monkeypatch)
        content = bytearray(file.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
        file.write_bytes(content)
        with warnings.catch_warnings(action="ignore"):  # spaces in the header may be altered
            toys.check_toy(toy, load("Toy", "test"))
            toys.check_toy(toy, load("Toy", "train+validation"))


def test_a_lossy_set_is_checked_against_what_its_first_build_found(tmp_path, monkeypatch):
    toy, encoded = toys.make_jpeg_toy(tmp_path / "mirror")
    toys.install(toy, tmp_path / "cache", monkeypatch)
    load("Toy", "test")
    file = tmp_path / "cache" / "Toy.safetensors"
    content = file.read_bytes()
    found = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    labels = toy.parts["train"][1]
    digests = [toys.digest(one, label) for one, label in zip(encoded["train"], labels, strict=True)]
    assert found["train_source"] == toys.total(digests)
    verify("Toy")
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CorruptData, match="test images do not have the digest"):
        verify("Toy")
