"""What a study was made of, gathered for its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.bands import parse_ranges
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.operations import apply
from napari_dgc.merging.splits import Split
from napari_dgc.merging.steps import Adopt, Cut, Merge, Move, Operation, Rename, SetRole
from napari_dgc.merging.wording import word_operation
from napari_dgc.reports.facts import CubeFacts, ModelFacts, StudyFacts
from napari_dgc.study.calibrations import (
    CalibrationReference,
    bad_bands,
    calibration_reference,
)
from napari_dgc.study.exports import file_stems, map_classes
from napari_dgc.study.storing.fingerprints import cube_fingerprint
from napari_dgc.study.storing.locating import locate_cubes, read_located
from napari_dgc.study.storing.reference import CubeReference

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study

_SUFFIX = ".dgc.json"
_UNSAVED = "Unsaved study"
_KINDS: dict[type, str] = {
    Merge: "merge", Move: "merge", Cut: "cut", Split: "split", Adopt: "adopt",
    Rename: "name", SetRole: "name",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """References to what a study is made of; taken on the screen's thread.

    Attributes
    ----------
    path : pathlib.Path, optional
        The study's file.
    cubes : mapping of str to Cube or CubeReference
        By file stem, in their order; a reference where the cube is not at hand.
    model : Model
    start : Grouping
        Before the first step.
    steps : tuple of Operation
        Those that count.
    grouping : Grouping
        After the last.
    places : mapping of str to pathlib.Path
        Files of cubes that are not at hand, where they were found.
    """

    path: Path | None
    cubes: Mapping[str, Cube | CubeReference]
    model: Model
    start: Grouping
    steps: tuple[Operation, ...]
    grouping: Grouping
    places: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study) -> Account | None:
        """Take what a study holds now; None where it has no model yet."""
        history, model = study.history, study.model
        if history is None or model is None:
            return None
        stems, missing = file_stems([c.name for c in study.cubes]), study.missing
        cubes = {
            stem: missing.get(index, cube)
            for index, (stem, cube) in enumerate(zip(stems, study.cubes, strict=True))
        }
        start, steps = history.start, history.operations
        return cls(study.path, cubes, model, start, steps, history.current)

    @property
    def name(self) -> str:
        """The study's name: that of its file."""
        if self.path is None:
            return _UNSAVED
        return self.path.name.removesuffix(_SUFFIX) or self.path.name

    def found(self) -> Account:
        """Look for the files of cubes that are not at hand; reads 1 MiB of each."""
        wanted = {
            stem: one
            for stem, one in self.cubes.items()
            if isinstance(one, CubeReference)
        }
        numbered = dict(enumerate(wanted.values()))
        located = locate_cubes(numbered, (self.path or Path()).parent)
        paths = {stem: located[i].path for i, stem in enumerate(wanted)}
        there = {stem: path for stem, path in paths.items() if path is not None}
        return replace(self, places=there)

    def cube(self, stem: str) -> Cube | None:
        """The cube itself, read if need be; None where it cannot be.

        For an account that is `found`.
        """
        one = self.cubes.get(stem)
        if not isinstance(one, CubeReference):
            return one
        path = self.places.get(stem)
        try:
            return None if path is None else read_located(one, path)
        except InputError:
            return None

    def facts(
        self,
        maps: Mapping[str, NDArray[np.uint8]],
        areas: Mapping[str, float | None],
        *,
        rules: tuple[str, ...] = (),
    ) -> StudyFacts:
        """Tell all of it; reads up to 1 MiB of each cube that is at hand.

        Parameters
        ----------
        maps : mapping of str to ndarray of uint8, shape (H, W)
            Cluster maps by file stem: the cubes that are told of.
        areas : mapping of str to float or None
            mm² per pixel.
        rules : tuple of str
            See `StudyFacts`.
        """
        from napari_dgc.clustering.packages import package_versions

        now = package_versions()
        return StudyFacts(
            name=self.name,
            cubes=tuple(
                _cube_facts(
                    CubeFacts(
                        stem,
                        _file(one, self.places.get(stem)),
                        one.shape,
                        no_data=int((maps[stem] == 0).sum()),
                        pixel_mm2=areas.get(stem),
                    ),
                    one,
                )
                for stem, one in self.cubes.items()
                if stem in maps
            ),
            model=_model_facts(self.model, now),
            groups=tuple(
                (one, group.clusters)
                for one, group in zip(
                    map_classes(self.grouping), self.grouping.groups, strict=True
                )
            ),
            steps=tuple(_steps(self.start, self.steps)),
            packages=now,
            rules=rules,
        )


def ruled_out(study: Study) -> list[NDArray[np.bool_]]:
    """Bands that are not ruled out, (C,), of each missing cube that rules some out."""
    masks = []
    for reference in study.missing.values():
        if reference.bad_bands:
            good = np.ones(reference.shape[0], bool)
            good[list(parse_ranges(reference.bad_bands))] = False
            masks.append(good)
    return masks


def _file(one: Cube | CubeReference, place: Path | None) -> str:
    path = place or one.path
    return "" if path is None else path.name


def _cube_facts(known: CubeFacts, one: Cube | CubeReference) -> CubeFacts:
    """Add how the cube was prepared, and its fingerprint."""
    if isinstance(one, CubeReference):
        fingerprint, bad = one.fingerprint or "", one.bad_bands
        calibration = one.calibration
    else:
        bad, calibration = bad_bands(one), calibration_reference(one)
        try:
            fingerprint = cube_fingerprint(one)
        except InputError:  # its file is gone, while its pixels are in memory
            fingerprint = ""
    return replace(
        known,
        fingerprint=fingerprint,
        calibration="" if calibration is None else _word_calibration(calibration),
        bad_bands=bad,
    )


def _word_calibration(one: CalibrationReference) -> str:
    white = "a tile in the cube" if one.white is None else one.white.name
    dark = "no dark reference" if one.dark is None else f"the dark {one.dark.name}"
    text = f"the white reference {white} and {dark}, averaged per {one.per}"
    if one.per == "pixel":
        text = text.replace("averaged per pixel", "pixel by pixel")
    if one.reflectance != 1:
        text += f" (the white reflects {one.reflectance:g})"
    return text


def _model_facts(model: Model, now: Mapping[str, str]) -> ModelFacts:
    config, nm = model.config, model.wavelengths
    return ModelFacts(
        fingerprint=model.fingerprint,
        k=model.k,
        seed=model.seed,
        steps=config.steps,
        steps_done=model.steps_done,
        cubes=len(model.cubes),
        bands=model.bands,
        good_bands=int(model.good_bands.sum()),
        range_nm=None if nm is None else (float(nm.min()), float(nm.max())),
        components=len(model.front_end.noise_std),
        noise_method=model.front_end.noise_method,
        window=2 * config.mean_shift_radius + 1,
        iterations=config.mean_shift_iterations,
        crop=config.crop,
        batch=config.batch,
        packages=model.packages or now,
        score=model.score,
        first_score=model.first_score,
    )


def _steps(start: Grouping, operations: tuple[Operation, ...]) -> list[tuple[str, str]]:
    """Every step in words, by the names that the groups had then."""
    told, grouping = [], start
    for operation in operations:
        change = apply(grouping, operation)
        text = word_operation(operation, grouping, ", ".join)
        if isinstance(operation, Adopt):
            text = f"took over {len(operation.groups)} groups from a recipe"
        text = text or change.text
        kind = _KINDS.get(type(operation), "other")
        told.append((kind, f"{text[:1].upper()}{text[1:]}."))
        grouping = change.after
    return told
