"""Every number that training takes, with the default that the measurements support."""

from __future__ import annotations

from dataclasses import dataclass, fields

MAX_CLUSTERS = 128
# Reads ahead, where a command or the screen trains: one while the other is used,
# and one against a slow disk. The model is the same for any number.
PREFETCH = 2

# name: (lowest, highest) legal value, both included.
_RANGES: dict[str, tuple[float, float]] = {
    "k": (2, MAX_CLUSTERS),
    "steps": (0, 1_000_000),
    "seed": (0, 2**31 - 1),
    "components": (2, 64),
    "mean_shift_iterations": (0, 8),
    "mean_shift_radius": (1, 5),
    "mean_shift_contrast": (0.0, 1.0),
    "crop": (16, 512),
    "batch": (1, 64),
    "reuse_iterations": (1, 1000),
    "learning_rate": (1e-7, 1.0),
    "student_temperature": (1e-3, 100.0),
    "teacher_temperature": (1e-3, 100.0),
    "teacher_momentum": (0.0, 1.0),
    "centroid_rate": (0.0, 1.0),
    "augment_noise": (0.0, 10.0),
    "augment_gain": (0.0, 1.0),
    "sample_pixels": (1_000, 1_000_000),
    "snapshot_every": (1, 1_000_000),
    "patience": (0, 1_000_000),
    "augment_shift": (0.0, 1.0),
    "augment_brightness": (0.0, 2.0),
    "augment_tilt": (0.0, 2.0),
    "augment_glint": (0.0, 10.0),
    "augment_shadow": (0.0, 10.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How to cluster; one set of defaults serves every data set.

    Parameters
    ----------
    k : int
        Number of clusters K, 2..128. Below 16, sixteen centroids are found and
        trained, and the tree says which of them are one cluster (see `gathering`).
    steps : int
        Training steps; 0 gives the first map (the warm start).
    seed : int
        Same seed, same machine and number of threads, CPU: equal model bytes
        and equal maps.
    device : str
        ``"auto"`` (CUDA, else MPS, else CPU) or a torch device name.
    components : int
        Dimensions D of the embedding before it is lifted onto the sphere.
    mean_shift_iterations, mean_shift_radius : int
        Unrolled iterations and half-width of the window (2 means 5 x 5).
    mean_shift_contrast : float
        Share of the mean squared distance within its window that is added to
        a pixel's squared bandwidth.
    crop : int
        Side of a training crop in pixels.
    batch : int
        Crop pairs per step.
    reuse_iterations : int
        Steps that draw their crop pairs from one read of the cubes.
    learning_rate : float
        Of the encoder (AdamW).
    student_temperature, teacher_temperature : float
        Softmax temperatures in units of the noise temperature tau. The
        teacher is sharp: soft targets are what erodes small clusters.
    teacher_momentum : float
        Of the exponential moving average that is the teacher.
    centroid_rate : float
        Share of the way a centroid moves towards its pixels in a step.
    augment_noise : float
        Added noise, in units of the estimated band noise.
    augment_gain : float
        Standard deviation of the smooth spectral gain.
    sample_pixels : int
        Pixels embedded to find the first centroids.
    patience : int
        Snapshots without a better score of the guard after which training stops
        by itself; 0: never.
    snapshot_every : int
        Steps between two snapshots.
    augment_shift : float
        Standard deviation of the wavelength shift, in bands (their median
        spacing), cut at one band; 0.25 leaves a feature one band wide.
    augment_brightness : float
        Standard deviation of the logarithm of a gain for the whole crop.
    augment_tilt : float
        The same of a gain that is smooth across the crop, as leaves tilt.
    augment_glint : float
        Typical height of glints, flat over the spectrum, in units of the mean
        spectrum's root mean square; half of the pixels lie in one.
    augment_shadow : float
        Typical depth of shadows, -ln of the light that remains; half of the
        pixels lie in one, and up to half of it is filled in the blue.
    """

    k: int = 16
    steps: int = 300
    seed: int = 0
    device: str = "auto"
    components: int = 12
    mean_shift_iterations: int = 4
    mean_shift_radius: int = 2
    mean_shift_contrast: float = 0.1
    crop: int = 64
    batch: int = 2
    reuse_iterations: int = 4
    learning_rate: float = 1e-3
    student_temperature: float = 1.0
    teacher_temperature: float = 0.1
    teacher_momentum: float = 0.99
    centroid_rate: float = 0.01
    augment_noise: float = 1.0
    augment_gain: float = 0.02
    sample_pixels: int = 30_000
    snapshot_every: int = 25
    patience: int = 8
    augment_shift: float = 0.25
    augment_brightness: float = 0.0
    augment_tilt: float = 0.0
    augment_glint: float = 0.0
    augment_shadow: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "device":
                if not isinstance(value, str):
                    raise ValueError(f"device is {value!r}; give a name such as 'cpu'")
                continue
            whole = field.type == "int"
            if isinstance(value, bool) or not isinstance(
                value, int if whole else (int, float)
            ):
                kind = "a whole number" if whole else "a number"
                raise ValueError(f"{field.name} is {value!r}; give {kind}")
            low, high = _RANGES[field.name]
            if not low <= value <= high:
                raise ValueError(
                    f"{field.name} is {value}; give a value from {low:g} to {high:g}"
                )
