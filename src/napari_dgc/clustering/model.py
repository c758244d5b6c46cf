"""A trained model: plain numbers, saved as safetensors, free of torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.frontend import FrontEnd
from napari_dgc.clustering.packages import package_versions
from napari_dgc.clustering.soundness import (
    check_clusters,
    check_numbers,
    finite_or_none,
)
from napari_dgc.cubes.agreement import (
    SAME_NM,
    check_same_units,
    range_of,
    wavelengths_apart,
)
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole

FORMAT = "napari-dgc model"
# 2: cluster ids; 3: a bandwidth that varies, the sphere seen from black
FORMAT_VERSION = 3
#: What a file that says other things than we write makes Python raise.
DAMAGED = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError,
    RecursionError,
)  # fmt: skip
_FRONT_END = ("mean", "band_std", "band_noise", "projection", "noise_std")


@dataclass(frozen=True, eq=False)
class Model:
    """Front-end, encoder and centroids: all that segmenting a cube needs.

    Attributes
    ----------
    front_end : FrontEnd
    encoder : mapping of str to ndarray
        The trained encoder's weights; empty for the first map, which needs none.
    centroids : ndarray of float32, shape (P, D+1)
        Unit vectors; row i belongs to cluster ``owner_ids[i]``; P > K where several
        hold one cluster together (see `gathering`).
    offset : float
        The constant coordinate s of the sphere.
    mean_spectra : ndarray of float32, shape (K, C)
        Each cluster's mean spectrum over the sampled training pixels.
    counts : ndarray of int64, shape (K,)
        How many it held.
    wavelengths : ndarray of float64, shape (C,), or None
        nm.
    good_bands : ndarray of bool, shape (C,)
    config : Config
    cubes : tuple of str
        Fingerprints of the training cubes.
    steps_done : int
    cluster_ids : ndarray of uint8, shape (K,)
        Within 1..255, no two alike; 1..K if not given.
    retired_ids : tuple of int
        Ids of pruned clusters: reserved, so that saved groupings keep their meaning.
    calibrations : tuple of str
        Fingerprints of the calibrations that made the training cubes' reflectance.
    packages : mapping of str to str
        Versions it was made with; empty for those of now.
    score, first_score : float, optional
        The guard's label-free score of it and of its first map, in nats, if taken.
    owners : ndarray of uint8, shape (P,)
        Cluster id of each centroid; empty where row i is ``cluster_ids[i]``.
    linkage : ndarray of float64, shape (K - 1, 4)
        The tree of clusters that hold several centroids; else empty.

    Raises
    ------
    ValueError
        If the ids or owners are not so.
    """

    front_end: FrontEnd
    encoder: Mapping[str, NDArray[np.float32]]
    centroids: NDArray[np.float32]
    offset: float
    mean_spectra: NDArray[np.float32]
    counts: NDArray[np.int64]
    wavelengths: NDArray[np.float64] | None
    good_bands: NDArray[np.bool_]
    config: Config
    cubes: tuple[str, ...] = ()
    steps_done: int = 0
    cluster_ids: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, "u1"))
    retired_ids: tuple[int, ...] = ()
    calibrations: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    score: float | None = None
    first_score: float | None = None
    owners: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, "u1"))
    linkage: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 4)))

    def __post_init__(self) -> None:
        ids, owners = check_clusters(
            self.cluster_ids, self.owners, self.retired_ids, len(self.centroids)
        )
        object.__setattr__(self, "cluster_ids", ids)
        object.__setattr__(self, "owners", owners)

    @property
    def k(self) -> int:
        """Number of clusters K."""
        return len(self.cluster_ids)

    @property
    def owner_ids(self) -> NDArray[np.uint8]:
        """Cluster id of each centroid, (P,)."""
        return self.owners if self.owners.size else self.cluster_ids

    @property
    def bands(self) -> int:
        """Number of bands C a cube must have."""
        return len(self.front_end.mean)

    @property
    def seed(self) -> int:
        """The seed it was trained with."""
        return self.config.seed

    @cached_property
    def centroid_fingerprints(self) -> dict[int, str]:
        """A digest of each cluster's centroids, by cluster id."""
        rows, owners = np.ascontiguousarray(self.centroids, "<f4"), self.owner_ids
        return {
            int(id): hashlib.sha256(rows[owners == id].tobytes()).hexdigest()[:16]
            for id in self.cluster_ids
        }

    @cached_property
    def fingerprint(self) -> str:
        """A digest of everything that decides the cluster map."""
        digest = hashlib.sha256()
        for name, array in sorted(self._tensors().items()):
            digest.update(f"{name}{array.shape}{array.dtype.str}".encode())
            digest.update(array.tobytes())
        shift = self.config.mean_shift_iterations, self.config.mean_shift_radius
        digest.update(
            repr((self.offset, shift, self.config.mean_shift_contrast)).encode()
        )
        if not np.array_equal(self.cluster_ids, np.arange(1, self.k + 1)):
            digest.update(self.cluster_ids.tobytes())
        digest.update(self.owners.tobytes())
        return digest.hexdigest()[:16]

    def require_bands(self, cube: Cube) -> None:
        """Raise InputError if a cube's bands, wavelengths or units are not its own."""
        source = cube.path or cube.name
        if cube.bands != self.bands:
            raise InputError(
                source,
                f"it has {cube.bands} bands{range_of(cube.wavelengths)}, the model was "
                f"trained on {self.bands}{range_of(self.wavelengths)}",
                "use cubes of the same sensor and band range, or train on this one",
            )
        apart = wavelengths_apart(cube.wavelengths, self.wavelengths)
        if apart > SAME_NM:
            raise InputError(
                source,
                f"its wavelengths differ from the model's by up to {apart:.1f} nm",
                "use cubes of the same sensor and band range, or train on this one",
            )
        check_same_units(cube, bool(self.calibrations), self.front_end.mean)

    def save(self, path: str | Path, *, force: bool = True) -> None:
        """Write the model, whole or not at all; equal models give equal bytes."""
        meta, tensors = self.parts()
        data = save(tensors, {"napari-dgc": json.dumps(meta, sort_keys=True)})
        write_whole(path, lambda file: file.write(data), force=force)

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What is saved: metadata fit for JSON, and arrays by name."""
        meta = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "config": {f: getattr(self.config, f) for f in self.config.__slots__},
            "offset": self.offset,
            "noise_method": self.front_end.noise_method,
            "cubes": list(self.cubes),
            "steps_done": self.steps_done,
            "cluster_ids": self.cluster_ids.tolist(),
            "retired_ids": list(self.retired_ids),
            "calibrations": list(self.calibrations),
            "seed": self.seed,
            "packages": dict(self.packages) or package_versions(),
        }
        if self.owners.size:
            meta["owners"] = self.owners.tolist()
        if self.score is not None:
            meta |= {"score": self.score, "first_score": self.first_score}
        return meta, self._tensors()

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model.

        Raises
        ------
        InputError
            If the file is missing, damaged, or no model of ours.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(path, "there is no such model file", "check the path")
        try:
            with safe_open(path, framework="numpy") as file:
                meta = json.loads((file.metadata() or {})["napari-dgc"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if meta["format"] != FORMAT:
                raise KeyError("format")
            wrong = f"it was written by a {{}} version (format {meta['version']})"
            if meta["version"] > FORMAT_VERSION:
                raise InputError(path, wrong.format("newer"), "update napari-dgc")
            if meta["version"] < FORMAT_VERSION:
                raise InputError(path, wrong.format("much older"), "train again")
            return cls.from_parts(meta, tensors)
        except InputError:
            raise
        except (SafetensorError, *DAMAGED) as error:
            raise InputError(
                path, "it is not a napari-dgc model, or it is damaged", "train again"
            ) from error

    @classmethod
    def from_parts(
        cls, meta: Mapping[str, Any], tensors: dict[str, NDArray[Any]]
    ) -> Model:
        """Make a model of what `parts` gave; takes the arrays out of `tensors`.

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or does not fit.
        """
        ids, offset = meta["cluster_ids"], float(meta["offset"])
        owners = meta.get("owners", [])
        check_numbers(tensors, ids, owners or ids, offset)
        front = {name: tensors.pop(f"front_end.{name}") for name in _FRONT_END}
        centroids, spectra = tensors.pop("centroids"), tensors.pop("mean_spectra")
        wavelengths = tensors.pop("wavelengths", None)
        linkage = tensors.pop("linkage", np.empty((0, 4)))
        good = tensors.pop("good_bands").astype(bool)
        counts = tensors.pop("counts")
        packages = dict(meta.get("packages", {}))
        return cls(
            front_end=FrontEnd(**front, noise_method=str(meta["noise_method"])),
            encoder={n.removeprefix("encoder."): t for n, t in tensors.items()},
            centroids=centroids,
            offset=offset,
            mean_spectra=spectra,
            counts=counts,
            wavelengths=wavelengths,
            good_bands=good,
            config=Config(**meta["config"]),
            cubes=tuple(meta["cubes"]),
            steps_done=int(meta["steps_done"]),
            cluster_ids=np.array(ids, object),  # as written: checked, then uint8
            retired_ids=tuple(meta["retired_ids"]),
            calibrations=tuple(meta.get("calibrations", ())),
            packages={str(k): str(v) for k, v in packages.items()},
            score=finite_or_none(meta.get("score")),
            first_score=finite_or_none(meta.get("first_score")),
            owners=np.array(owners, object),
            linkage=linkage,
        )

    def _tensors(self) -> dict[str, NDArray[Any]]:
        tensors: dict[str, NDArray[Any]] = {
            f"front_end.{name}": getattr(self.front_end, name) for name in _FRONT_END
        }
        tensors |= {f"encoder.{name}": array for name, array in self.encoder.items()}
        tensors["centroids"] = self.centroids
        tensors["mean_spectra"] = self.mean_spectra
        tensors["counts"] = self.counts
        tensors["good_bands"] = self.good_bands.astype(np.uint8)
        if self.wavelengths is not None:
            tensors["wavelengths"] = self.wavelengths
        if len(self.linkage):
            tensors["linkage"] = self.linkage
        return {name: np.ascontiguousarray(a) for name, a in tensors.items()}
