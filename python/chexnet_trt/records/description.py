"""dataset.json: what a records folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chexnet_trt._core import InputError
from chexnet_trt.labels import LABELS
from chexnet_trt.preprocess import RESIZE

DESCRIPTION_FILE = "dataset.json"
FORMAT_VERSION = 1
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Shard:
    file: str
    records: int
    sha256: str


@dataclass(frozen=True)
class Split:
    """`positives`: images by finding, of all 14."""

    images: int
    patients: int
    positives: Mapping[str, int]
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class Description:
    """`image_size`: pixels of a side. `source`: the table's name ("entries") and sha256
    ("entries_sha256"), how it was split ("split": official or random), the "seed", whether images
    could be left out ("allow_missing") and how many of the table were not there ("missing")."""

    tool_version: str
    synthetic: bool
    image_size: int
    source: Mapping[str, Any]
    splits: Mapping[str, Split]

    def to_json(self) -> dict[str, Any]:
        return {
            "format_version": FORMAT_VERSION,
            "labels": list(LABELS),
            "resize": RESIZE,
            **asdict(self),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Description:
        """The inverse of `to_json`. Raises InputError for what it would not have written."""
        version = fields.get("format_version")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise InputError(f"is of format {version}, newer than this version reads")
        try:
            _check_constants(fields)
            return cls(
                tool_version=_typed(fields["tool_version"], str),
                synthetic=_typed(fields["synthetic"], bool),
                image_size=_count(fields["image_size"], least=1),
                source=_typed(fields["source"], dict),
                splits={name: _split(name, fields["splits"][name]) for name in SPLITS},
            )
        except KeyError as error:
            raise InputError(f"lacks {error}") from None
        except (TypeError, ValueError) as error:
            raise InputError(f"is malformed: {error}") from None


def read_description(folder: Path) -> tuple[Description, bytes]:
    """The description and the content of its file. Raises InputError."""
    path = folder / DESCRIPTION_FILE
    if not folder.is_dir():
        raise InputError(f"there is no folder '{folder}'; give one that `prepare` wrote")
    if not path.exists():
        raise InputError(
            f"'{folder}' has no {DESCRIPTION_FILE}: it is no folder of records, or `prepare` did "
            "not finish; run `prepare` into a new folder"
        )
    try:
        content = path.read_bytes()
        return Description.from_json(_typed(json.loads(content), dict)), content
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from None
    except InputError as error:
        raise InputError(f"'{path}' {error}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"'{path}' is not the JSON of a data set: {error}") from None


def _check_constants(fields: Mapping[str, Any]) -> None:
    if fields["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format_version {fields['format_version']!r}")
    if fields["labels"] != list(LABELS):
        raise ValueError("its labels are not the 14 findings in this version's order")
    if fields["resize"] != RESIZE:
        raise ValueError(f"unknown resize kernel {fields['resize']!r}")


def _split(name: str, fields: Mapping[str, Any]) -> Split:
    shards = tuple(
        Shard(
            _shard_file(name, row["file"]),
            _count(row["records"]),
            _typed(row["sha256"], str),
        )
        for row in fields["shards"]
    )
    split = Split(
        images=_count(fields["images"]),
        patients=_count(fields["patients"]),
        positives={label: _count(fields["positives"][label]) for label in LABELS},
        shards=shards,
    )
    listed = sum(shard.records for shard in shards)
    if listed != split.images:
        raise ValueError(f"the shards of {name} hold {listed} records, not {split.images}")
    if len({shard.file for shard in shards}) < len(shards):
        raise ValueError(f"a shard of {name} is listed twice")
    if max((split.patients, *split.positives.values())) > split.images:
        raise ValueError(f"{name} has fewer images than patients or positives")
    return split


def _shard_file(split: str, file: object) -> str:
    name: str = _typed(file, str)
    if Path(name).name != name or not name.startswith(f"{split}-"):
        raise ValueError(f"{name!r} is not the name of a shard of {split}")
    return name


def _count(value: object, least: int = 0) -> int:
    if type(value) is not int or value < least:
        raise ValueError(f"{value!r} is not a number of {least} or more")
    return value


def _typed(value: Any, kind: type) -> Any:  # noqa: ANN401 - of JSON
    if not isinstance(value, kind):
        raise TypeError(f"{value!r:.40} is not of type {kind.__name__}")
    return value
