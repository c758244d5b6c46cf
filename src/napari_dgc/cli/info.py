"""`info`: what cubes hold, why pixels do not count, and which bands are noisy."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cli.reading import read_cubes

if TYPE_CHECKING:
    from napari_dgc.cubes.cube import Cube


def show_cubes(options: argparse.Namespace) -> None:
    """`info`: one paragraph for each cube, or JSON."""
    notices: list[str] = []
    cubes = read_cubes(options, notices)
    with ProgressLine(options.quiet) as progress:
        facts = [_facts(cube, progress) for cube in cubes]
        for notice in notices:
            progress.say(notice)
    if options.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(_in_words(one) for one in facts))


def _facts(cube: Cube, progress: ProgressLine) -> dict[str, Any]:
    from napari_dgc.clustering.noise import BandNoise, measure_noise
    from napari_dgc.cubes.bands import band_ranges
    from napari_dgc.cubes.describing import describe
    from napari_dgc.cubes.pixel_states import count_pixels

    progress.show(f"{cube.name}: counting pixels")
    counts = count_pixels(cube)
    noise = None
    for piece in measure_noise([cube]) if counts.valid > 1 else ():
        if isinstance(piece, BandNoise):
            noise = piece
        else:
            progress.show(f"{cube.name}: measuring the noise {piece:.0%}")
    bands: list[dict[str, Any]] = []
    centres = cube.wavelengths
    for i in range(cube.bands if noise is not None else 0):
        good = cube.good_bands is None or bool(cube.good_bands[i])
        snr = None if noise is None or not good else _number(noise.snr[i])
        bands.append(
            {
                "band": i,
                "nm": None if centres is None else float(centres[i]),
                "good": good,
                "snr": snr,
            }
        )
    return {
        "name": cube.name,
        "path": None if cube.path is None else str(cube.path),
        "shape": list(cube.shape),
        "type": str(cube.data.dtype),
        "wavelengths_nm": None
        if centres is None
        else [float(centres.min()), float(centres.max())],
        "calibration": describe(cube) or None,
        "fingerprint": cube.calibration and cube.calibration.fingerprint,
        "bad_bands": "" if cube.good_bands is None else band_ranges(~cube.good_bands),
        "pixels": asdict(counts),
        "noise_from": None if noise is None else noise.method,
        "least_snr": None if noise is None else noise.least,
        "noisy_bands": "" if noise is None else band_ranges(noise.noisy()),
        "bands": bands,
        "indices": _indices(cube),
    }


def _indices(cube: Cube) -> list[dict[str, Any]]:
    from napari_dgc.cubes.indices import INDICES, available

    centres = cube.wavelengths
    return [
        {
            "name": name,
            "meaning": INDICES[name].meaning,
            "formula": INDICES[name].formula,
            "source": INDICES[name].source,
            "bands": list(bands),
            "nm": [] if centres is None else [float(centres[band]) for band in bands],
        }
        for name, bands in available(cube).items()
    ]


def _in_words(facts: dict[str, Any]) -> str:
    from napari_dgc.cubes.describing import describe_counts
    from napari_dgc.cubes.pixel_states import PixelCounts

    C, H, W = facts["shape"]
    lines = [
        f"{facts['name']}  ({facts['path'] or 'no file'})",
        f"  Size         {C} bands x {H} rows x {W} columns, {facts['type']}",
    ]
    if facts["wavelengths_nm"] is not None:
        low, high = facts["wavelengths_nm"]
        lines.append(f"  Wavelengths  {low:g} to {high:g} nm")
    else:
        lines.append("  Wavelengths  not known")
    lines.append(f"  Calibration  {facts['calibration'] or 'none'}")
    lines.append(f"  Pixels       {describe_counts(PixelCounts(**facts['pixels']))}")
    lines.append(f"  Left out     {_bands(facts['bad_bands'])}")
    lines += _noise(facts)
    head = "Indices"
    for index in facts["indices"]:
        at = ", ".join(f"{nm:.0f}" for nm in index["nm"])
        lines.append(
            f"  {head:<11}  {index['name']:<5} = {index['formula']}, from {at} nm "
            f"({index['source']})"
        )
        head = ""
    if not facts["indices"]:
        lines.append("  Indices      none: its bands do not allow any")
    return "\n".join(lines)


def _bands(ranges: str) -> str:
    return f"bands {ranges}" if ranges else "no band"


def _noise(facts: dict[str, Any]) -> list[str]:
    """Say how noisy the bands are, and list runs of noisy ones."""
    known = [b for b in facts["bands"] if b["snr"] is not None]
    if not known:
        return ["  Noise        not measured: too few valid pixels"]
    snr = np.array([b["snr"] for b in known])
    lines = [
        f"  SNR          {np.median(snr):.0f} (median), {snr.min():.2g} to "
        f"{snr.max():.3g}, by regression on {facts['noise_from']}"
    ]
    noisy = {b["band"] for b in known if b["snr"] < facts["least_snr"]}
    if not noisy:
        return [
            *lines,
            f"  Noisy        no band has an SNR below {facts['least_snr']:.2g}",
        ]
    lines.append(
        f"  Noisy        {len(noisy)} bands have an SNR below "
        f"{facts['least_snr']:.2g}; leave them out with --drop-bands noisy"
    )
    for run in facts["noisy_bands"].split(","):
        first, _, last = run.partition("-")
        part = [b for b in known if int(first) <= b["band"] <= int(last or first)]
        worst = min(b["snr"] for b in part)
        where = ""
        if part[0]["nm"] is not None:
            ends = sorted((part[0]["nm"], part[-1]["nm"]))
            where = f", {ends[0]:g} to {ends[1]:g} nm" if last else f", {ends[0]:g} nm"
        lines.append(f"               {run}{where}: SNR from {worst:.2g}")
    return lines


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
