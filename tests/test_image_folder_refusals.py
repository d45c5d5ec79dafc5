"""A folder from which no environment can be made is refused in one sentence."""

import re
import shutil

import numpy as np
import pytest
from pictures import CLASSES, pictures, png, write_folder

from credit_envs.datasets import load


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    return write_folder(tmp_path / "pictures", pictures())


def unreadable(folder):
    (folder / "cat" / "bad.png").write_text("<html>")
    return "cat/bad.png cannot be read as an image .it is none of PNG, "


def cut_short(folder):
    file = min((folder / "bird").iterdir())
    file.write_bytes(file.read_bytes()[:-30])
    return f"bird/{file.name} cannot be read as an image"


def too_deep(folder):
    png(folder / "cat" / "deep.png", np.zeros((6, 5), np.uint16))
    return "cat/deep.png cannot be read as an image .its mode I;16 has more than 8 bits"


def no_images(folder):
    (folder / "fish").mkdir()
    return "fish is a class without images: put some in"


def no_classes(folder):
    for name in CLASSES:
        shutil.rmtree(folder / name)
    (folder / "one.png").touch()
    return " has no folders of images: it needs one per class"


def one_class(folder):
    for name in CLASSES[1:]:
        shutil.rmtree(folder / name)
    return "2 to 65536 classes can be told apart, not 1"


def few_images(folder):
    for file in sorted(folder.rglob("*.png")):
        if int(file.stem) >= 11:
            file.unlink()
    return "11 images are too few"


def unknown_class(folder):
    shutil.copytree(folder, folder / "train")
    shutil.copytree(folder / "cat", folder / "test" / "lynx")
    return "test/lynx is a class that .*train does not have"


@pytest.mark.parametrize(
    "fault",
    [unreadable, cut_short, too_deep, no_images, no_classes, one_class, few_images, unknown_class],
)
def test_what_is_wrong_with_a_folder_is_one_sentence(folder, fault):
    said = fault(folder)
    with pytest.raises(ValueError, match=said) as raised:
        load({"folder": folder}, "train")
    assert "\n" not in str(raised.value)
    assert not list((folder.parent / "cache").glob("*.safetensors"))


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape(f"there is no folder {tmp_path}/none")):
        load({"folder": tmp_path / "none"}, "train")
