"""What a study was made of, as plain values: for its page and its methods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from napari_dgc.reports.classes import MapClass


@dataclass(frozen=True, slots=True)
class CubeFacts:
    """One cube.

    Attributes
    ----------
    name : str
        Its file stem, as in the tables.
    file : str
        Name of its file, without the folder; "" for a cube in none.
    shape : tuple of int
        (C, H, W).
    fingerprint : str
        Of its content; "" where it is not known.
    calibration : str
        What made reflectance of it, in words; "" for values as they are in the file.
    bad_bands : str
        Bands that are left out, such as ``0-3,7``.
    no_data : int
        Pixels without a cluster.
    pixel_mm2 : float, optional
    """

    name: str
    file: str
    shape: tuple[int, int, int]
    fingerprint: str = ""
    calibration: str = ""
    bad_bands: str = ""
    no_data: int = 0
    pixel_mm2: float | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that mapped them.

    Attributes
    ----------
    fingerprint : str
    k : int
        Clusters it has.
    seed : int
    steps, steps_done : int
        Training steps asked for, and those of the model that was kept; 0 is the
        first map.
    cubes : int
        That it was made of.
    bands, good_bands : int
        All, and those used.
    range_nm : tuple of float, optional
        First and last wavelength.
    components : int
    noise_method : str
        "regression" or "differences".
    window : int
        Side of the mean-shift window, in pixels.
    iterations : int
        Of the mean-shift.
    crop, batch : int
        Side of a crop in pixels; pairs in a step.
    packages : mapping of str to str
        Versions it was made with.
    score, first_score : float, optional
        The label-free score, in nats, of the model and of the first map it began
        with.
    """

    fingerprint: str
    k: int
    seed: int
    steps: int
    steps_done: int
    cubes: int
    bands: int
    good_bands: int
    range_nm: tuple[float, float] | None
    components: int
    noise_method: str
    window: int
    iterations: int
    crop: int
    batch: int
    packages: Mapping[str, str]
    score: float | None = None
    first_score: float | None = None


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """All of it.

    Attributes
    ----------
    name : str
        Of the study.
    cubes : tuple of CubeFacts
    model : ModelFacts
    groups : sequence of (MapClass, tuple of int)
        In table order, with their clusters.
    steps : tuple of (str, str)
        What was done with the groups, in order: kind ("merge", "cut", "split",
        "adopt", "name" or "other") and words.
    packages : mapping of str to str
        Versions that the report was written with.
    rules : tuple of str
        By what leaves and lesions were counted, in sentences.
    """

    name: str
    cubes: tuple[CubeFacts, ...]
    model: ModelFacts
    groups: Sequence[tuple[MapClass, tuple[int, ...]]]
    steps: tuple[tuple[str, str], ...]
    packages: Mapping[str, str]
    rules: tuple[str, ...] = ()

    def count(self, kind: str) -> int:
        """How many steps of a kind there are."""
        return Counter(step[0] for step in self.steps)[kind]

    def named(self, role: str | None) -> list[str]:
        """Names of the groups of a role."""
        return [one.name for one, _ in self.groups if one.role == role]
