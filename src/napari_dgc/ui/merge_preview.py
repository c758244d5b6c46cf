"""Shows what a merge would do while the mouse is over its target."""

from __future__ import annotations

from collections.abc import Sequence

from napari_dgc.merging.preview import preview_merge
from napari_dgc.ui.merge_wording import word_release
from napari_dgc.ui.spectra import Spectra
from napari_dgc.ui.workspace import Workspace

_ONWARD = "Drag onto the group it shall go into."


class MergePreviews:
    """Tells in the status line, and draws in the spectra, what a release would do.

    All from sums over pixels: 2 ms at K = 128.

    Parameters
    ----------
    workspace : Workspace
    spectra : Spectra
    """

    def __init__(self, workspace: Workspace, spectra: Spectra) -> None:
        self._workspace = workspace
        self._spectra = spectra
        self._said = ""

    def aim(self, sources: Sequence[int], target: int) -> None:
        """Preview a merge under way; no sources: it is over."""
        study, display = self._workspace.study, self._workspace.display
        grouping = study.grouping
        moved = [id for id in sources if id != target]
        if grouping is None or not moved:
            self.end()
            return
        statistics = study.statistics(display.shown)
        preview = None
        if statistics is not None:
            preview = preview_merge(statistics, grouping, moved, target)
        self._said = word_release(grouping, moved, target, preview)
        self._workspace.status.say(self._said)
        locked = any(grouping.group(id).locked for id in (*moved, target))
        self.draw((), target) if locked else self.draw(moved, target)

    def aim_one(self, source: int, target: int) -> None:
        """Preview the merge of one group."""
        self.aim((source,), target)

    def draw(self, sources: Sequence[int], target: int) -> None:
        """Draw the merged spectrum only; no sources: take it away."""
        if self._spectra.dock is not None:
            self._spectra.dock.show_ghost(sources, target)

    def end(self, *_: object) -> None:
        """Take the preview away."""
        self.draw((), -1)
        if self._said and self._workspace.status.text() == self._said:
            self._workspace.status.say(_ONWARD)
        self._said = ""
