"""Materials of a scene and their reflectance spectra."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

MATERIALS = (
    "cloth",
    "shadow",
    "fold",
    "young",
    "mature",
    "vein",
    "halo",
    "brown lesion",
    "near-black lesion",
)
CLASSES = ("background", "healthy", "lesion")
# Class of every material.
CLASS_OF = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2], np.uint8)
FIRST_NM, LAST_NM = 400.0, 1000.0
_TABLE = "leaf_reflectance.csv"


def band_centres(bands: int) -> NDArray[np.float64]:
    """Wavelengths in nm, evenly spaced over 400–1000 nm."""
    return np.linspace(FIRST_NM, LAST_NM, bands)


def material_spectra(wavelengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reflectance of every material, shape (len(MATERIALS), C).

    The leaf tissues are mixtures of figures simulated with PROSPECT-D (the
    table beside this module); cloth is made up: dark dye that bleeds out
    towards the near infrared. The near-black lesion is dead tissue soaked
    dark; it keeps the slope of dead tissue, so it is not the cloth's
    spectrum at any brightness.
    """
    tissue = _tissue(wavelengths)
    x = (wavelengths - FIRST_NM) / (LAST_NM - FIRST_NM)
    cloth = 0.033 - 0.0012 * np.cos(7 * x) + 0.018 / (1 + np.exp(-(x - 0.72) / 0.07))
    fold = 0.88 * cloth + 0.002 * (1 - x)
    shadow = 0.22 * cloth * (1.15 - 0.3 * x)  # skylight: bluer than the lamp
    # Tea is darker green than the simulated leaves: more pigment, which acts
    # below the red edge alone.
    pigment = 1 - 0.34 / (1 + np.exp((wavelengths - 690) / 12))
    young, mature = (tissue[f"healthy_{age}"] * pigment for age in ("young", "mature"))
    vein = 0.15 * tissue["chlorotic"] + 0.95 * young
    halo = 0.55 * tissue["chlorotic"] + 0.45 * tissue["lesion_margin"]
    dead = tissue["necrotic_lesion"]
    brown = 0.66 * dead + 0.04 * tissue["grey_necrotic"]
    black = 0.022 + dead * (0.03 + 0.36 * x**2)
    return np.stack([cloth, shadow, fold, young, mature, vein, halo, brown, black])


def accent_spectra(wavelengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Differences that textures add, shape (3, C).

    Papery middle of a lesion, warm threads of the cloth, thick tissue (more
    scattering in the near infrared).
    """
    tissue = _tissue(wavelengths)
    x = (wavelengths - FIRST_NM) / (LAST_NM - FIRST_NM)
    papery = 0.25 * (tissue["grey_necrotic"] - tissue["necrotic_lesion"])
    warm = 0.004 * np.clip(1.6 * x, 0, 1) + 0.001
    edge = 1 / (1 + np.exp(-(wavelengths - 720) / 12))
    thick = 0.030 * edge - 0.004 * (1 - edge)
    return np.stack([papery, warm, thick])


def glint_spectrum(wavelengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mirror-like reflection of a waxy cuticle, close to 1 everywhere, (C,).

    Fresnel's reflection at normal incidence of wax, whose index falls slowly
    with the wavelength (Cauchy), relative to its value at 700 nm.
    """
    index = 1.42 + 0.006 / (wavelengths / 1000) ** 2
    at_700 = 1.42 + 0.006 / 0.7**2
    return (((index - 1) / (index + 1)) / ((at_700 - 1) / (at_700 + 1))) ** 2


@cache
def _table() -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Column names and figures of the table in the package."""
    text = (files(__package__) / _TABLE).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    names = tuple(lines[0].split(","))
    return names, np.array([[float(x) for x in line.split(",")] for line in lines[1:]])


def _tissue(wavelengths: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Every simulated spectrum at these wavelengths, by name."""
    names, table = _table()
    return {
        name: np.interp(wavelengths, table[:, 0], column)
        for name, column in zip(names[1:], table.T[1:], strict=True)
    }
