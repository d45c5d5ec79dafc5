"""A folder of images by class is read whole, cached, and read again when it changes."""

import io
import os

import numpy as np
import pytest
import toy as toys
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import CLASSES, COUNT, pictures, png, write_folder
from PIL import Image
from test_damage import DAMAGES, rewrite_header

from credit_envs.dataset import Outdated
from credit_envs.datasets import load, open_data, verify
from credit_envs.digests import CorruptData


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    return write_folder(tmp_path / "pictures", pictures())


def everything(folder, **options):
    """All images and labels, whatever split they are in, in an order of their own."""
    parts = [load({"folder": folder, **options}, split) for split in ("train+validation", "test")]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort([*images.reshape(len(images), -1).T, labels])
    return images[order], labels[order]


@pytest.mark.parametrize("test", ["test", "val", "validation", "valid"])
def test_training_and_test_images_may_have_folders(tmp_path, monkeypatch, test):
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    made, others = pictures(), pictures(20, seed=1)
    write_folder(tmp_path / "x" / "train", made)
    write_folder(tmp_path / "x" / test, others)
    found = load({"folder": tmp_path / "x"}, "test")
    assert sorted(map(bytes, found.images)) == sorted(map(bytes, others.images))
    assert len(load({"folder": tmp_path / "x"}, "train+validation").labels) == COUNT


def test_labels_are_the_places_of_the_sorted_names(folder):
    made = pictures()
    by_pixels = {bytes(x): y for x, y in zip(*made, strict=True)}
    images, labels = everything(folder)
    assert [by_pixels[bytes(x)] for x in images] == labels.tolist()
    assert open_data({"folder": folder}).row.class_names == CLASSES


def test_images_may_lie_deeper_and_other_files_beside_them(folder):
    before = everything(folder)
    deeper = folder / "cat" / "images"
    deeper.mkdir()
    for file in list((folder / "cat").glob("*.png"))[:5]:
        file.rename(deeper / f"{file.stem}.PNG")
    (folder / ".git").mkdir()
    for stray in ("notes.txt", "cat/Thumbs.db", "cat/._0001.png"):
        (folder / stray).write_text("no image")
    for system in (".ipynb_checkpoints", "__MACOSX", "images/.thumbs/small"):
        png(folder / "cat" / system / "copy.png", before[0][0])
    for one, other in zip(before, everything(folder), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_relative_folder_is_the_same_one(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert open_data({"folder": folder.name}) is open_data({"folder": str(folder)})


def add(folder):
    png(folder / "cat" / "new.png", np.zeros((6, 5, 3), np.uint8))


def remove(folder):
    next((folder / "dog").iterdir()).unlink()


def alter(folder):
    png(next((folder / "dog").iterdir()), np.zeros((6, 5, 3), np.uint8))


def move(folder):
    file = next((folder / "dog").iterdir())
    file.rename(folder / "cat" / f"was-{file.name}")


def rename(folder):
    (folder / "dog").rename(folder / "ant")


@pytest.mark.parametrize("change", [add, remove, alter, move, rename])
def test_a_changed_folder_is_read_again(folder, change):
    data = open_data({"folder": folder})
    assert open_data({"folder": folder}) is data
    before = everything(folder)
    change(folder)
    with pytest.raises(Outdated, match=f"{folder} has changed since"):
        verify({"folder": folder})
    after = everything(folder)
    assert open_data({"folder": folder}).row.key() != data.row.key()
    assert len(before[0]) != len(after[0]) or not all(map(np.array_equal, before, after))
    verify({"folder": folder})


def cache_file(folder):
    load({"folder": folder}, "test")
    (file,) = (folder.parent / "cache").glob("*.safetensors")
    return file


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_of_the_cache_is_said_and_mended(folder, tmp_path, monkeypatch, damage):
    before = everything(folder)
    file = toys.move_cache(cache_file(folder), tmp_path / "other", monkeypatch)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(UserWarning, match=f"cache file {file} is damaged .*: it is built again"):
        load({"folder": folder}, "test")
    for one, other in zip(before, everything(folder), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("told", "instead"),
    [('"cat"', '"cow"'), ("[6, 5, 3]", "[5, 6, 3]"), ('"state": "', '"state": "0')],
)
def test_a_row_that_was_altered_is_not_believed(folder, tmp_path, monkeypatch, told, instead):
    row = open_data({"folder": folder}).row
    file = toys.move_cache(cache_file(folder), tmp_path / "other", monkeypatch)

    def change(header):
        note = header["__metadata__"]["row"]
        assert told in note
        header["__metadata__"]["row"] = note.replace(told, instead)

    file.write_bytes(rewrite_header(file.read_bytes(), change))
    with pytest.warns(UserWarning, match="its row is not the one that was written"):
        assert open_data({"folder": folder}).row == row


@settings(max_examples=40)
@given(data=st.data())
@pytest.mark.filterwarnings("ignore:the cache file:UserWarning")
def test_no_altered_byte_reaches_a_learner(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("altered")
    folder = write_folder(root / "pictures", pictures(20))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("CREDIT_ENVS_CACHE", str(root / "cache"))
        before = open_data({"folder": folder}).row, everything(folder)
        file = toys.move_cache(cache_file(folder), root / "other", monkeypatch)
        content = bytearray(file.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        file.write_bytes(content)
        assert open_data({"folder": folder}).row == before[0]
        for one, other in zip(before[1], everything(folder), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "JPEG", "WEBP", "TIFF"])
def test_images_are_as_pillow_decodes_them(tmp_path, monkeypatch, form):
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "pictures"
    for number, (image, label) in enumerate(zip(*pictures(shape=(16, 12, 3)), strict=True)):
        file = folder / CLASSES[label] / f"{number}.{form.lower()}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file, form)
    encoded = [io.BytesIO(file.read_bytes()) for file in folder.rglob("*.*")]
    expected = [np.asarray(Image.open(one).convert("RGB")) for one in encoded]
    images, _ = everything(folder)
    assert sorted(map(bytes, images)) == sorted(map(bytes, expected))
    verify({"folder": folder})


def test_images_whose_pixels_depend_on_the_decoder_are_ordered_by_their_files(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    folder = write_folder(tmp_path / "pictures", pictures(shape=(16, 12, 3)), "JPEG")
    files = sorted(folder.rglob("*.jpeg"))
    contents = [file.read_bytes() for file in files]
    labels = [CLASSES.index(file.parent.name) for file in files]
    order = sorted(range(COUNT), key=lambda i: toys.digest(contents[i], labels[i]))
    parts = [load({"folder": folder}, split) for split in ("train+validation", "test")]
    for i, image in zip(order, np.concatenate([part.images for part in parts]), strict=True):
        assert np.array_equal(image, Image.open(io.BytesIO(contents[i])))


def test_images_are_gray_if_all_are(folder, tmp_path):
    for number, file in enumerate(sorted(folder.rglob("*.png"))):
        image = Image.open(file).convert("L" if number % 2 else "LA")
        image.save(file)
    assert everything(folder)[0].shape == (COUNT, 6, 5, 1)
    png(folder / "cat" / "colour.png", np.full((6, 5, 3), (255, 0, 0), np.uint8))
    images, _ = everything(folder)
    assert images.shape == (COUNT + 1, 6, 5, 3)
    assert (images[..., 0] == images[..., 1]).all((1, 2)).sum() == COUNT


def test_a_photo_stands_upright(folder):
    image = np.zeros((6, 5, 3), np.uint8)
    image[0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera turned by 90 degrees: the stored image lies on its side
    Image.fromarray(np.rot90(image)).save(folder / "cat" / "photo.png", exif=exif)
    images, _ = everything(folder)
    assert images.shape == (COUNT + 1, 6, 5, 3)
    assert bytes(image) in map(bytes, images)


def test_images_are_resized_only_if_asked_to(folder):
    large = np.zeros((12, 10, 3), np.uint8)
    large[:, 5:] = 200
    odd = png(folder / "dog" / "odd.png", large)
    with pytest.raises(CorruptData, match=f"^{odd} is of the size .12, 10., and .*size=.H, W."):
        everything(folder)
    images, _ = everything(folder, size=[6, 6])
    assert images.shape == (COUNT + 1, 6, 6, 3)
    half = images[(images == 0).all((1, 2, 3)) | (images[:, :, 4:] == 200).all((1, 2, 3))]
    assert len(half) == 1
    assert (half[0, :, :2] == 0).all()
    assert everything(folder, size=(3, 2))[0].shape == (COUNT + 1, 3, 2, 3)


def test_what_no_one_changed_is_not_read_again(folder, tmp_path, monkeypatch):
    written = cache_file(folder).stat().st_mtime_ns
    moved = toys.move_cache(cache_file(folder), tmp_path / "other", monkeypatch)
    os.utime(moved)
    load({"folder": folder}, "train")
    assert moved.stat().st_mtime_ns == written
