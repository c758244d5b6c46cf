"""What was done, as a page tells it: files, calibration, model, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from napari_dgc.reports.facts import CubeFacts, ModelFacts, StudyFacts
from napari_dgc.reports.page_tables import Cell, Grid, Head, Row, named

_NONE = "–"


def file_table(cubes: Sequence[CubeFacts]) -> Grid:
    """One row per cube: its file, its size, what tells it from others."""
    scaled = any(cube.pixel_mm2 is not None for cube in cubes)
    columns = ["Bands", "Rows", "Columns", "Pixels without data"]
    columns += ["mm² per pixel"] if scaled else []
    rows = []
    for cube in cubes:
        numbers = [*cube.shape, cube.no_data]
        cells = [Cell(f"{number:,}") for number in numbers]
        if scaled:
            size = cube.pixel_mm2
            cells.append(Cell(_NONE if size is None else f"{size:.6g}"))
        words = (cube.file or "in no file", cube.fingerprint or _NONE)
        rows.append(Row(cube.name, words, tuple(cells)))
    heads = ("Cube", "File", "Fingerprint")
    return Grid(
        "Files, fingerprints and sizes", heads, tuple(map(Head, columns)), tuple(rows)
    )


def calibration_lines(cubes: Sequence[CubeFacts]) -> list[str]:
    """How cubes were calibrated and which bands left out, alike ones together."""
    lines = []
    for text, names in _alike({c.name: c.calibration for c in cubes}, cubes):
        if text:
            lines.append(f"{names}: reflectance with {text}.")
        else:
            lines.append(f"{names}: values as they are in the file, not calibrated.")
    for text, names in _alike({c.name: c.bad_bands for c in cubes}, cubes):
        if text:
            lines.append(f"{names}: bands left out (from 0): {text}.")
        else:
            lines.append(f"{names}: no band left out.")
    return lines


def model_terms(facts: StudyFacts) -> list[tuple[str, str]]:
    """The model's numbers, each with its name."""
    model = facts.model
    trained = (
        f"{model.steps_done} of {model.steps} asked for"
        if model.steps_done
        else "none: the first map"
    )
    bands = f"{model.good_bands} of {model.bands}"
    if model.range_nm is not None:
        bands += ", {:.1f} to {:.1f} nm".format(*model.range_nm)
    shift = named(model.iterations, "iteration")
    return [
        ("Fingerprint", model.fingerprint),
        ("Clusters K", str(model.k)),
        ("Seed", str(model.seed)),
        ("Training steps", trained),
        *_score(model),
        ("Made of", named(model.cubes, "cube")),
        ("Bands used", bands),
        ("Components", f"{model.components}, noise by {model.noise_method}"),
        ("Mean-shift", f"{shift}, {model.window} × {model.window} pixels"),
        ("Made with", _versions(model.packages)),
        ("Report written with", _versions(facts.packages)),
    ]


def _score(model: ModelFacts) -> list[tuple[str, str]]:
    """The label-free score that the model was kept by; nothing where none was taken."""
    if model.score is None:
        return []
    text = f"{model.score:.2f} nats"
    if model.steps_done and model.first_score is not None:
        text += f"; the first map's was {model.first_score:.2f}"
    return [("Score without labels", text)]


def _versions(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))


def _alike(
    texts: Mapping[str, str], cubes: Sequence[CubeFacts]
) -> list[tuple[str, str]]:
    """Each text once, with whom it is of: "All cubes" or their names."""
    found = []
    for text in dict.fromkeys(texts.values()):
        names = [name for name, one in texts.items() if one == text]
        who = "All cubes" if len(names) == len(cubes) > 1 else ", ".join(names)
        found.append((text, who))
    return found
