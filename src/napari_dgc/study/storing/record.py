"""What a study's file says: JSON with sorted keys and a checksum.

One object: ``format``, ``version``, ``checksum``, ``cubes`` (each with ``name``,
``path``, ``key``, ``axes``, ``shape``, ``fingerprint``; ``calibration`` and
``bad_bands`` where it has some; and, where it is mapped, ``clusters``, ``statistics``,
``confidence``, and ``stability`` if that was measured), ``model``, ``operations`` (all
steps, those undone included), ``index`` (how many of them count), ``next_id`` (the
lowest group id never given away) and ``view``; where a model took another's place, also
what `former_record` tells of. Files are ``{"path", "fingerprint"}``, their
paths relative to the study's own with forward slashes; only on another drive are they
absolute. The checksum is the SHA-256 of the same object without it, with sorted keys
and no blanks: laid out anew, the file is still good.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from napari_dgc.merging.fields import Fields
from napari_dgc.merging.splits import Split
from napari_dgc.merging.steps import Operation, operation_from_json
from napari_dgc.study.calibrations import preparation_from_json, preparation_to_json
from napari_dgc.study.modelled import Taking
from napari_dgc.study.storing.file_reference import (
    FileReference,
    absolute_from,
    file_from_json,
    file_to_json,
    relative_to,
)
from napari_dgc.study.storing.former_record import (
    FormerRecord,
    former_from_json,
    former_to_json,
    taking_from_json,
    taking_to_json,
)
from napari_dgc.study.storing.reference import CubeReference
from napari_dgc.study.view import View, view_from_json, view_to_json

FORMAT = "napari-dgc study"
VERSION = 2  # 2: splits among the operations
_WITHOUT_SPLITS = 1  # what older programs read too
_ENCODING = ("utf-8", "surrogateescape")  # names of files may be any bytes


@dataclass(frozen=True, slots=True)
class CubeRecord:
    """One cube, and what segmenting left of it."""

    cube: CubeReference
    clusters: FileReference | None = None
    statistics: FileReference | None = None
    confidence: FileReference | None = None
    stability: FileReference | None = None

    @property
    def files(self) -> tuple[FileReference | None, ...]:
        """Clusters, statistics, confidence, stability."""
        return self.clusters, self.statistics, self.confidence, self.stability


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """A study in references and plain values.

    Attributes
    ----------
    cubes : tuple of CubeRecord
    model : FileReference, optional
    steps : tuple of Operation
        Those undone included.
    index : int
        How many of them count.
    next_id : int
        The lowest group id never given away.
    view : View
    taking : Taking, optional
    earlier, later : tuple of FormerRecord
    """

    cubes: tuple[CubeRecord, ...]
    model: FileReference | None
    steps: tuple[Operation, ...]
    index: int
    next_id: int
    view: View
    taking: Taking | None = None
    earlier: tuple[FormerRecord, ...] = ()
    later: tuple[FormerRecord, ...] = ()


@dataclass(slots=True)
class StepTexts:
    """The JSON of steps, kept from one write to the next: most are the same."""

    _known: list[tuple[Operation, str]] = field(default_factory=list)

    def of(self, steps: Sequence[Operation]) -> list[str]:
        """Give the steps' JSON, one text each."""
        known = self._known
        for place, step in enumerate(steps):
            if place == len(known):
                known.append((step, _dumps(step.to_json())))
            elif known[place][0] is not step:
                known[place] = step, _dumps(step.to_json())
        del known[len(steps) :]
        return [text for _, text in known]


def encode_record(
    record: StudyRecord, folder: Path, texts: StepTexts | None = None
) -> bytes:
    """Write a record for a file in `folder`; equal records give equal bytes."""
    cubes = [_dumps(_cube_to_json(cube, folder)) for cube in record.cubes]
    values: dict[str, str | list[str]] = {
        "cubes": cubes,
        "format": _dumps(FORMAT),
        "index": _dumps(record.index),
        "model": _dumps(file_to_json(record.model, folder)),
        "next_id": _dumps(record.next_id),
        "operations": (texts or StepTexts()).of(record.steps),
        "version": _dumps(_version(record)),
        "view": _dumps(view_to_json(record.view)),
    }
    if record.taking or record.earlier or record.later:
        file = partial(file_to_json, folder=folder)
        values["taking"] = _dumps(taking_to_json(record.taking))
        for key, formers in (("earlier", record.earlier), ("later", record.later)):
            values[key] = [_dumps(former_to_json(one, file)) for one in formers]
    digest = _checksum(_join(values, "").encode(*_ENCODING))
    return (_join({"checksum": _dumps(digest), **values}, "\n") + "\n").encode(
        *_ENCODING
    )


def _version(record: StudyRecord) -> int:
    """The lowest version that says all there is: older programs may read it."""
    split = any(isinstance(step, Split) for step in record.steps)
    return VERSION if split else _WITHOUT_SPLITS


def _join(values: dict[str, str | list[str]], line: str) -> str:
    """Make one object of JSON texts; with "" for `line`, the way `_dumps` would."""
    pairs = []
    for key, value in sorted(values.items()):
        if isinstance(value, list):
            items = f",{line}".join(value)
            value = f"[{line}{items}{line}]" if value else "[]"
        pairs.append(f'"{key}":{value}')
    return "{" + line + f",{line}".join(pairs) + line + "}"


def decode_record(content: bytes, folder: Path, source: str | Path) -> StudyRecord:
    """Read what `encode_record` wrote.

    Raises
    ------
    InputError
        If a newer version wrote it; names `source`.
    ValueError
        If it is no study or is damaged; says how, without naming the file.
    """
    try:
        data = json.loads(content.decode(*_ENCODING))
    except RecursionError as error:
        raise ValueError("it is no JSON") from error
    fields = Fields(data, "the study")
    if fields.text("format") != FORMAT:
        raise ValueError(f"it says {fields.text('format')[:60]!r}")
    fields.require_version(VERSION, source)
    said = data.pop("checksum", None)
    if said != _checksum(_dumps(data).encode(*_ENCODING)):
        raise ValueError("its checksum does not fit what it says")
    file = partial(file_from_json, folder=folder)
    return StudyRecord(
        cubes=tuple(_cube_from_json(item, folder) for item in fields.items("cubes")),
        model=file_from_json(fields.value("model"), folder),
        steps=tuple(_read_steps(fields.items("operations"))),
        index=fields.integer("index"),
        next_id=fields.integer("next_id"),
        view=view_from_json(fields.value("view")),
        taking=taking_from_json(data.get("taking")),
        earlier=tuple(
            former_from_json(o, file) for o in fields.optional_items("earlier")
        ),
        later=tuple(former_from_json(o, file) for o in fields.optional_items("later")),
    )


def _read_steps(items: Iterable[object]) -> Iterable[Operation]:
    for number, item in enumerate(items, 1):
        try:
            yield operation_from_json(item)
        except ValueError as error:
            raise ValueError(f"step {number}: {error}") from error


def _cube_to_json(record: CubeRecord, folder: Path) -> dict[str, Any]:
    cube = record.cube
    stability = file_to_json(record.stability, folder)
    return {
        "name": cube.name,
        "path": None if cube.path is None else relative_to(cube.path, folder),
        "key": cube.key,
        "axes": cube.axes,
        "shape": list(cube.shape),
        **preparation_to_json(
            cube.calibration, cube.bad_bands, partial(relative_to, folder=folder)
        ),
        "fingerprint": cube.fingerprint,
        "clusters": file_to_json(record.clusters, folder),
        "statistics": file_to_json(record.statistics, folder),
        "confidence": file_to_json(record.confidence, folder),
        **({} if stability is None else {"stability": stability}),
    }


def _cube_from_json(data: Any, folder: Path) -> CubeRecord:
    fields = Fields(data, "a cube")
    path = fields.optional_text("path")
    shape = fields.integers("shape")
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError(f"a cube's shape is said to be {list(shape)}")
    C, H, W = shape
    calibration, bad_bands = preparation_from_json(
        data, lambda text: absolute_from(text, folder)
    )
    reference = CubeReference(
        name=fields.text("name"),
        path=None if path is None else absolute_from(path, folder),
        key=fields.optional_text("key"),
        axes=fields.optional_text("axes"),
        shape=(C, H, W),
        fingerprint=fields.optional_text("fingerprint"),
        calibration=calibration,
        bad_bands=bad_bands,
    )
    clusters, statistics, confidence = (
        file_from_json(fields.value(kind), folder)
        for kind in ("clusters", "statistics", "confidence")
    )
    stability = file_from_json(data.get("stability"), folder)
    return CubeRecord(reference, clusters, statistics, confidence, stability)


def _dumps(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
