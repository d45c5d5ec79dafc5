"""Made-up images of one's own: as arrays, in a folder, in the layout of the Hub."""

import json
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import toy as toys
from PIL import Image

CLASSES = ("bird", "cat", "dog")
COUNT, SHAPE = 90, (6, 5, 3)  # not square: no axis can be mixed up
HUB = "someone/pictures"
TRAIN = "data/train-00000-of-00001.parquet"
OTHERS = 20  # of a second part


class Pictures(NamedTuple):
    """Images (N, H, W, C) and their labels (N,)."""

    images: np.ndarray
    labels: np.ndarray


def pictures(count=COUNT, shape=SHAPE, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.append(np.arange(classes), rng.integers(0, classes, count - classes))
    return Pictures(rng.integers(0, 256, (count, *shape), np.uint8), labels)


def write_folder(folder, made, form="PNG", names=CLASSES):
    """`<class>/<number>.<format>`. Returns the folder."""
    for number, (image, label) in enumerate(zip(*made, strict=True)):
        file = folder / names[label] / f"{number:04}.{form.lower()}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(toys.encode(image, form))
    return folder


def write_hub(file, made, form="PNG", names=CLASSES, features=True, **more):
    """A parquet file as the Hub has them; `more` columns are integers, and classes too."""
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {
        "image": pa.array(
            [{"bytes": toys.encode(x, form), "path": None} for x in made.images], kind
        )
    }
    columns |= {name: pa.array(values) for name, values in {"label": made.labels, **more}.items()}
    table = pa.table(columns)
    if features:
        said = {name: {"_type": "ClassLabel", "names": list(names)} for name in ("label", *more)}
        said["image"] = {"_type": "Image"}
        table = table.replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": said}})}
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file)
    return file


def png(file, image):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(file)
    return file
