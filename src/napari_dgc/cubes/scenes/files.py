"""Sample scenes as files: MATLAB cubes with labels, and large ENVI cubes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Literal

import numpy as np
import tifffile
from scipy.io import savemat

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole
from napari_dgc.cubes.labelme import write_labelme
from napari_dgc.cubes.scenes.config import LesionKind, SceneConfig
from napari_dgc.cubes.scenes.layers import Layers, build_layers
from napari_dgc.cubes.scenes.scene import (
    SIMULATED,
    Scene,
    check_seed,
    make_scene,
    plan_scenes,
)

Interleave = Literal["bsq", "bil"]
_SUFFIXES = (".mat", ".json", "_labels.tif")


def write_scenes(
    out_dir: str | Path,
    scenes: int = 6,
    size: int | tuple[int, int] = 256,
    seed: int = 0,
    *,
    lesion: LesionKind | None = "mixed",
    config: SceneConfig | None = None,
    force: bool = False,
    progress: Callable[[int, int, str], object] | None = None,
) -> list[Path]:
    """Simulate a study and write it, one scene in memory at a time.

    Parameters
    ----------
    out_dir : str or pathlib.Path
        Made where it does not exist.
    scenes, size, seed, lesion, config
        As for `make_scenes`.
    force : bool
        Write over files that are there.
    progress : callable, optional
        Called as ``progress(done, total, name)`` after each scene.

    Returns
    -------
    list of pathlib.Path
        The cubes, ``<name>.mat`` (MATLAB v5, ``cube`` of shape (C, H, W)
        float32 and ``wavelengths`` in nm). Beside each lie ``<name>.json``
        (LabelMe) and ``<name>_labels.tif`` (uint8), both with 0 background,
        1 healthy, 2 lesion.

    Raises
    ------
    InputError
        If a file exists already (checked before anything is written), or
        the folder cannot be written to.
    """
    folder = Path(out_dir)
    plan = plan_scenes(scenes, size, seed, lesion=lesion, config=config)
    if not force:
        for name, _, _ in plan:
            for suffix in _SUFFIXES:
                _require_free(folder / f"{name}{suffix}")
    written = []
    for done, (name, scene_config, scene_seed) in enumerate(plan, start=1):
        scene = make_scene(scene_config, scene_seed, name)
        written.append(_write_scene(scene, folder, force))
        if progress is not None:
            progress(done, len(plan), name)
    return written


def write_scene_envi(
    path: str | Path,
    config: SceneConfig,
    seed: int,
    *,
    interleave: Interleave = "bsq",
    force: bool = False,
) -> Path:
    """Simulate one scene straight into an ENVI file, some rows at a time.

    Parameters
    ----------
    path : str or pathlib.Path
        Of the header; its ending is replaced by ``.hdr``. The cube goes to
        ``<stem>.img``, the truth to ``<stem>_labels.tif``.
    config : SceneConfig
    seed : int
    interleave : {"bsq", "bil"}
    force : bool
        Write over files that are there.

    Returns
    -------
    pathlib.Path
        The header.

    Raises
    ------
    InputError
        If a file exists already or cannot be written.

    Notes
    -----
    The same numbers as `make_scene`'s, but memory stays at some 50 maps of
    the scene (200 MB at 1000 x 1000 pixels) however many bands there are.
    """
    header = Path(path).with_suffix(".hdr")
    data = header.with_suffix(".img")
    truth = header.with_name(f"{header.stem}_labels.tif")
    if interleave not in ("bsq", "bil"):
        raise InputError(
            "interleave", f"{interleave!r} is not known", "take 'bsq' or 'bil'"
        )
    if not force:
        for file in (header, data, truth):
            _require_free(file)
    layers = build_layers(config, check_seed(seed))
    write_whole(data, lambda file: _write_rows(file, layers, interleave), force=force)
    text = _describe_envi(layers, interleave).encode()
    write_whole(header, lambda file: file.write(text), force=force)
    write_whole(truth, lambda file: tifffile.imwrite(file, layers.labels), force=force)
    return header


def _require_free(path: Path) -> None:
    """Refuse a path where there is something already."""
    if path.exists():
        raise InputError(path, "exists already", "use --force or choose another folder")


def _write_scene(scene: Scene, folder: Path, force: bool) -> Path:
    """Write one scene's three files, the cube last."""
    path = folder / f"{scene.name}.mat"
    with TemporaryDirectory() as place:
        drawn = Path(place) / "labels.json"
        write_labelme(drawn, scene.labels, scene.classes, path.name)
        text = drawn.read_bytes()
    content = {"cube": scene.cube.data, "wavelengths": scene.cube.wavelengths}
    truth = folder / f"{scene.name}_labels.tif"
    write_whole(path.with_suffix(".json"), lambda file: file.write(text), force=force)
    write_whole(truth, lambda file: tifffile.imwrite(file, scene.labels), force=force)
    write_whole(
        path,
        # Open files are documented as welcome; the stubs know paths only.
        lambda file: savemat(file, content, oned_as="row"),  # type: ignore[arg-type]
        force=force,
    )
    return path


def _write_rows(file: BinaryIO, layers: Layers, interleave: Interleave) -> None:
    """Write the cube's numbers, little-endian float32."""
    H, W = layers.labels.shape
    for rows, block in layers.blocks():
        numbers = block.astype("<f4", copy=False)
        if interleave == "bil":
            file.write(np.ascontiguousarray(numbers.transpose(1, 0, 2)).tobytes())
            continue
        for band, part in enumerate(numbers):
            file.seek((band * H + rows.start) * W * numbers.itemsize)
            file.write(part.tobytes())


def _describe_envi(layers: Layers, interleave: Interleave) -> str:
    """Write the header's text."""
    H, W = layers.labels.shape
    centres = ", ".join(f"{nm:.3f}" for nm in layers.wavelengths)
    lines = [
        "ENVI",
        f"description = {{{SIMULATED}}}",
        f"samples = {W}",
        f"lines = {H}",
        f"bands = {len(layers.wavelengths)}",
        "header offset = 0",
        "file type = ENVI Standard",
        "data type = 4",
        f"interleave = {interleave}",
        "byte order = 0",
        "wavelength units = Nanometers",
        f"wavelength = {{{centres}}}",
    ]
    return "\n".join(lines) + "\n"
