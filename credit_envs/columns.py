"""Which columns of a parquet file hold the images and the classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa


class Columns(NamedTuple):
    """The columns of images and classes, as a flattened table calls them."""

    image: str
    label: str
    class_names: tuple[str, ...]  # none where the file says none

    @property
    def read(self) -> list[str]:
        """What to read."""
        return [self.image, self.label]


def find_columns(schema: pa.Schema, repo: str, image: str | None, label: str | None) -> Columns:
    """The columns as named, or the only ones that can be meant. Raises ValueError."""
    from pyarrow import types

    features = _features(schema)
    images = [field.name for field in schema if _holds_images(field, features)]
    integers = [field.name for field in schema if types.is_integer(field.type)]
    labels = [name for name in integers if _kind(features, name) == "ClassLabel"] or integers
    chosen = _chosen(schema, repo, "image", image, images, images)
    label = _chosen(schema, repo, "label", label, labels, integers)
    names = features[label].get("names", ()) if _kind(features, label) == "ClassLabel" else ()
    inner = ".bytes" if types.is_struct(schema.field(chosen).type) else ""
    return Columns(chosen + inner, label, tuple(names))


def _chosen(
    schema: pa.Schema, repo: str, what: str, named: str | None, likely: list[str], fit: list[str]
) -> str:
    """The named column if it fits, or the likely one if there is no other."""
    there = ", ".join(f"{field.name!r} ({field.type})" for field in schema)
    if named is not None:
        if named not in fit:
            raise ValueError(f"{repo} has no {what} column {named!r}; its columns are {there}")
        return named
    if not likely:
        hold = "holds encoded images" if what == "image" else "holds classes as integers"
        raise ValueError(f"{repo} has no column that {hold}; its columns are {there}")
    if len(likely) > 1:
        listed = ", ".join(map(repr, likely))
        raise ValueError(f"{repo} has several {what} columns, {listed}: name one as {what}")
    return likely[0]


def _holds_images(field: pa.Field, features: Mapping[str, Any]) -> bool:
    from pyarrow import types

    if types.is_binary(field.type) or types.is_large_binary(field.type):
        return True
    struct = types.is_struct(field.type)
    within = [inner.name for inner in field.type] if struct else []
    return "bytes" in within and _kind(features, field.name) in (None, "Image")  # sounds have, too


def _kind(features: Mapping[str, Any], name: str) -> str | None:
    feature = features.get(name)
    return feature.get("_type") if isinstance(feature, Mapping) else None


def _features(schema: pa.Schema) -> Mapping[str, Any]:
    """What the library `datasets` says of the columns; nothing if it did not write the file."""
    try:
        return json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}
