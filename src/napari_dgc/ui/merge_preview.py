"""Shows what a merge would do while the mouse is over its target."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.preview import preview_merge, role_changes
from napari_dgc.ui.merge_wording import word_release
from napari_dgc.ui.spectra import Spectra
from napari_dgc.ui.workspace import Workspace

_ONWARD = "Drag onto the group it shall go into."


class MergePreviews:
    """Tells in the status line, and draws in the spectra, what a release would do.

    All from sums over pixels. Angle and spread are those of all cubes, as the
    suggestions tell them; the roles' shares those of the cube shown.

    Parameters
    ----------
    workspace : Workspace
    spectra : Spectra
    angle : callable
        Takes source ids and the target's, gives degrees.
    """

    def __init__(
        self,
        workspace: Workspace,
        spectra: Spectra,
        angle: Callable[[Sequence[int], int], float],
    ) -> None:
        self._angle = angle
        self._workspace = workspace
        self._spectra = spectra
        self._said = ""

    def aim(self, sources: Sequence[int], target: int) -> None:
        """Preview a merge under way; no sources: it is over."""
        grouping = self._workspace.study.grouping
        moved = [id for id in sources if id != target]
        if grouping is None or not moved:
            self.end()
            return
        self._said = self._foretell(grouping, moved, target)
        self._workspace.status.say(self._said)
        locked = any(grouping.group(id).locked for id in (*moved, target))
        self.draw((), target) if locked else self.draw(moved, target)

    def _foretell(self, grouping: Grouping, moved: Sequence[int], target: int) -> str:
        study, shown = self._workspace.study, self._workspace.display.shown
        pooled, here = study.pooled_statistics, study.statistics(shown)
        if pooled is None:
            return word_release(grouping, moved, target, None)
        mapped = [i for i in range(len(study.cubes)) if study.statistics(i)]
        return word_release(
            grouping,
            moved,
            target,
            preview_merge(pooled, grouping, moved, target),
            angle=self._angle(moved, target),
            roles=role_changes(here, grouping, moved, target) if here else (),
            cubes=len(mapped),
        )

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
