"""The leaf regions of a study."""

from __future__ import annotations

from collections.abc import Sequence

from psygnal import Signal

from napari_dgc.study.exports import file_stems
from napari_dgc.study.leaves import LeafRegions
from napari_dgc.study.modelled import Modelled


class Leafed(Modelled):
    """Leaf regions beside the maps.

    Its signal carries the new `LeafRegions`, or None.
    """

    leaves_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._leaves: LeafRegions | None = None

    @property
    def leaves(self) -> LeafRegions | None:
        """The leaves that are settled; None where there are none."""
        return self._leaves

    def set_leaves(self, leaves: LeafRegions | None) -> None:
        """Have other leaves; no step on the groups."""
        if leaves is not self._leaves:
            self._leaves = leaves
            self.leaves_changed.emit(leaves)

    def _lose_leaves(self, names: Sequence[str], index: int) -> None:
        """Follow the removal of one of the cubes of these names."""
        if self._leaves is None:
            return
        before = file_stems(names)
        rest = [stem for place, stem in enumerate(before) if place != index]
        kept = [name for place, name in enumerate(names) if place != index]
        stems = dict(zip(rest, file_stems(kept), strict=True))
        self.set_leaves(self._leaves.follow(stems))
