"""Maps beside their labels, whatever wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_dgc.cubes.annotations import Labels, read_labels
from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.masks import read_label_tiff
from napari_dgc.study.evaluating.evaluation import LabelledMap

MAP_ENDINGS = ("_clusters.tif", "_groups.tif")


def load_labels(
    source: str | Path,
    stem: str,
    shape: tuple[int, int],
    *,
    classes: Sequence[str] | None = None,
    ignore_label: int | None = None,
) -> Labels:
    """Read the labels of a cube, `.pth` tensors too.

    As `napari_dgc.cubes.annotations.read_labels`, which may not know torch;
    torch is loaded only where a tensor is met.
    """
    return read_labels(
        source,
        stem,
        shape,
        classes=classes,
        ignore_label=ignore_label,
        read_tensor=_read_tensor,
    )


def read_labelled_maps(
    paths: Sequence[Path], labels: str | Path, *, ignore_label: int | None = None
) -> list[LabelledMap]:
    """Read cluster or group maps and the labels of their cubes.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        ``<stem>_clusters.tif`` or ``<stem>_groups.tif``.
    labels : str or pathlib.Path
        A folder with a label file per stem, or one file for one map.
    ignore_label : int, optional
        As for `load_labels`.

    Raises
    ------
    InputError
        Where a cube has two maps or no labels, a file cannot be read, sizes
        differ, or one label file is given for several maps.
    """
    if len(paths) > 1 and Path(labels).is_file():
        raise InputError(
            labels, f"is one file for {len(paths)} maps", "give a folder of labels"
        )
    items: dict[str, LabelledMap] = {}
    for path in paths:
        stem = _cube_stem(path)
        if stem in items:
            raise InputError(
                path,
                f"there is another map of {stem} in this folder",
                "keep cluster maps and group maps in folders of their own",
            )
        ids = read_label_tiff(path)
        height, width = ids.shape
        found = load_labels(labels, stem, (height, width), ignore_label=ignore_label)
        items[stem] = LabelledMap(stem, ids, found.data, found.classes, found.named)
    return list(items.values())


def _cube_stem(path: Path) -> str:
    """Strip a map's ending, once: a cube may itself be called ..._groups."""
    ending = next((e for e in MAP_ENDINGS if path.name.endswith(e)), path.suffix)
    return path.name.removesuffix(ending)


def _read_tensor(path: Path, shape: tuple[int, int]) -> NDArray[Any]:
    from napari_dgc.clustering.tensors import read_label_tensor

    return read_label_tensor(path, shape)
