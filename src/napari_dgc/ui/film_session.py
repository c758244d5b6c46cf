"""The film of the window's latest training, and which frame of it is on the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.carrying import Carried, carry, count_overlap
from napari_dgc.study.film import Film, Frame, are_alike
from napari_dgc.study.mapping import Finished, Progress
from napari_dgc.study.previews import Preview, enlarge, stride_of
from napari_dgc.ui.banner import Banner
from napari_dgc.ui.film_maps import FilmMaps
from napari_dgc.ui.film_wording import name_frame, word_banner, word_frame
from napari_dgc.ui.gestures import SNAPSHOT
from napari_dgc.ui.training_jobs import fits
from napari_dgc.ui.workspace import Workspace

_NOTE = (
    "This is a snapshot from the film of the training. To merge its clusters press "
    "“Use this one”; Esc goes back to your map."
)
_TAKING = "The cubes are being mapped with this snapshot; Stop ends that."


class FilmSession(QObject):
    """Keeps the film while training goes on; shows a frame, takes one into use.

    A frame's map is read from the film. Where it has none of the cube on show, the
    worker makes them, that of the frame on show first.

    Signals
    -------
    changed : ()
        The film has more frames, or other ones, or none.
    moved : int
        Index of the frame on the image; -1 where it shows the study again.
    said : str, str
        A line for the user and its level (see `StatusLine.say`).
    failed : Exception
        A frame could not be mapped.
    """

    changed = Signal()
    moved = Signal(int)
    said = Signal(str, str)
    failed = Signal(object)

    def __init__(self, shared: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._shared = shared
        self.film = Film()
        self._cubes: list[Cube | None] = []  # those the film has maps of, by place
        self._frame: Frame | None = None  # on show
        self._recording = False  # the run at work, or the latest, is a training
        self._new = False  # its first frame is still to come
        self._banner = Banner(shared.viewer)
        self.maps = FilmMaps(self)
        self.maps.mapped.connect(self._on_mapped)
        self.maps.failed.connect(self.failed)
        self.maps.free.connect(self._draw_if_missing)
        session = shared.session
        session.began.connect(self._on_training_began)
        session.runner.yielded.connect(self._on_run_yielded)
        shared.study.cubes_changed.connect(self._on_cubes_changed)
        session.ended.connect(self._on_run_ended)
        shared.display.shown_changed.connect(self._on_cube_shown)
        shared.display.previewing_changed.connect(self._on_previewing_changed)

    # -- what the user can do ---------------------------------------------------

    @property
    def index(self) -> int:
        """Index of the frame on show; -1 for none."""
        return -1 if self._frame is None else self.film.nearest(self._frame.step)

    @property
    def in_use(self) -> int:
        """Index of the frame whose clusters are in use; -1 for none."""
        model = self._shared.study.model
        found = (i for i, f in enumerate(self.film.frames) if are_alike(f.model, model))
        return next(found, -1)

    def show(self, index: int) -> None:
        """Put a frame on the image."""
        if not 0 <= index < len(self.film.frames) or self._shared.session.taking:
            return
        entry = self._shared.display.entry
        if entry is None or not fits(self.film.frames[index].model, entry.cube):
            self.said.emit("Show a cube of this sensor first.", "warning")
            return
        self._frame = self.film.frames[index]
        self._shared.session.hold_previews(True)
        self._shared.gestures.snapshot_note = _NOTE
        self._draw()  # which ends Merge mode, and its banner
        self._banner.show(word_banner(self._frame.step))
        self._tell()
        self.moved.emit(index)

    def leave(self) -> bool:
        """Show the study again, or the training; False where it is shown already."""
        if self._frame is None:
            return False
        if self._shared.session.taking:
            self.said.emit(_TAKING, "info")
            return True
        self._let_go()
        if not self._follow_training():
            self._shared.display.end_previews()
            self.said.emit("Back to your map.", "info")
        return True

    def use(self) -> None:
        """Map all cubes with the frame on show and take it into use."""
        frame = self._frame
        if frame is None or self._shared.session.taking:
            return
        self.maps.stop()
        self.said.emit(f"Mapping the cubes with {name_frame(frame.step)}…", "info")
        self._shared.session.take_frame(self.film.scored(frame))

    def foresee(self) -> Carried | None:
        """What the groups would become with the frame on show, by the cube on show.

        By its thumbnail alone: milliseconds. None where there is nothing to match.
        """
        frame, entry, study = (
            self._frame,
            self._shared.display.entry,
            self._shared.study,
        )
        old, grouping = study.cluster_map(self._shared.display.shown), study.grouping
        if frame is None or entry is None or old is None or grouping is None:
            return None
        small = frame.previews.get(self._place_of(entry.cube))
        if small is None:
            return None
        stride = stride_of(entry.cube)
        overlap = count_overlap(old[::stride, ::stride], small)
        return carry(grouping, overlap, frame.model.cluster_ids.tolist())

    def close(self) -> None:
        """Let go of the image; nothing is shown or computed any more."""
        if self._frame is not None:
            self._let_go()
            self._shared.display.end_previews()

    # -- what is drawn ----------------------------------------------------------

    def _draw(self) -> None:
        frame, entry = self._frame, self._shared.display.entry
        if frame is None or entry is None:
            return
        cube = entry.cube
        small = frame.previews.get(self._place_of(cube))
        if small is None:
            # Nothing is on the image for a moment, rather than another frame's map.
            clusters = np.zeros(cube.shape[1:], np.uint8)
            self._map(cube)
        else:
            clusters = enlarge(small, cube)
        ids = frame.model.cluster_ids.tolist()
        self._shared.display.preview(cube, clusters, ids)

    def _tell(self) -> None:
        index = self.index
        warnings = self.film.warnings_of(index)
        text = " ".join((word_frame(self.film, index), *(f"{w}." for w in warnings)))
        self.said.emit(text, "warning" if warnings else "info")

    def _place_of(self, cube: Cube) -> int:
        for place, known in enumerate(self._cubes):
            if known is cube:
                return place
        self._cubes.append(cube)
        return len(self._cubes) - 1

    def _let_go(self) -> None:
        self._frame = None
        self.maps.stop()
        self._banner.hide()
        self._shared.session.hold_previews(False)
        self._shared.gestures.snapshot_note = SNAPSHOT
        self.moved.emit(-1)

    def _follow_training(self) -> bool:
        """Show the latest snapshot again, if a training shows its own."""
        session, entry = self._shared.session, self._shared.display.entry
        if not session.shows_previews or entry is None or not self.film.frames:
            return False
        frame = self.film.frames[-1]
        small = frame.previews.get(self._place_of(entry.cube))
        if small is None:
            return False
        ids = frame.model.cluster_ids.tolist()
        self._shared.display.preview(entry.cube, enlarge(small, entry.cube), ids)
        return True

    # -- maps of a cube that was not on show ------------------------------------

    def _map(self, cube: Cube) -> None:
        session, at = self._shared.session, self.index
        if self._frame is None or session.taking:
            return
        place = self._place_of(cube)
        wanted = [
            (abs(i - at), frame.model)
            for i, frame in enumerate(self.film.frames)
            if place not in frame.previews
        ]
        models = [model for _, model in sorted(wanted, key=lambda pair: pair[0])]
        self.maps.ask(models, cube, place, session.device)

    def _on_mapped(self, preview: Preview) -> None:
        self.film = self.film.with_preview(preview)
        self._renew_frame()
        if self._frame is not None and self._frame.model is preview.model:
            self._draw()

    def _draw_if_missing(self) -> None:
        frame, entry = self._frame, self._shared.display.entry
        if frame is None or entry is None:
            return
        if self._place_of(entry.cube) not in frame.previews:
            self._map(entry.cube)

    # -- what the training and the window do ------------------------------------

    def _on_training_began(self, config: Any) -> None:
        if self._frame is not None:
            self._let_go()
        # The first map alone is no film: that of an earlier training stays.
        self._recording = self._new = config.steps > 0

    def _on_run_yielded(self, piece: Any) -> None:
        if not self._recording or isinstance(piece, Progress | Finished):
            return
        if self._new:
            self._begin()
        self.film = self.film.take(piece)
        self._renew_frame()
        if (
            isinstance(piece, Preview)
            or piece.snapshot
            or piece.model
            or (piece.score is not None or piece.notice)
        ):
            self.changed.emit()

    def _begin(self) -> None:
        self._new = False
        self.film = Film()
        self._cubes = list(self._shared.session.cubes)
        self.maps.forget()

    def _renew_frame(self) -> None:
        """The frame on show may have got a map or a score; or it was dropped."""
        if self._frame is not None:
            now = self.film.frames[self.index]
            self._frame = now if now.step == self._frame.step else self._frame

    def _on_cubes_changed(self, cubes: tuple) -> None:
        here = {id(cube) for cube in cubes}
        self._cubes = [c if id(c) in here else None for c in self._cubes]

    def _on_run_ended(self) -> None:
        if self._shared.session.cubes:
            return
        # Another study: its cubes are none of these.
        self.film, self._cubes, self._recording = Film(), [], False
        self.changed.emit()

    def _on_cube_shown(self, index: int) -> None:
        if self._frame is None:
            return
        if index < 0:
            self._let_go()
            return
        self._draw()
        self._tell()

    def _on_previewing_changed(self, on: bool) -> None:
        # Whatever else has put the study's map back on the image.
        if not on and self._frame is not None:
            self._let_go()
