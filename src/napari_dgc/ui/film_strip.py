"""The film of a training: a scrubber under its curves, and "Use this one"."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_dgc.ui.film_plot import AXIS_WIDTH, COUNT_WIDTH, FilmPlot, word_legend
from napari_dgc.ui.film_session import FilmSession
from napari_dgc.ui.film_slider import FilmSlider
from napari_dgc.ui.film_wording import name_frame, word_film, word_foreseen
from napari_dgc.ui.notices import StatusLine, ask
from napari_dgc.ui.workspace import Workspace

_KEPT = (
    "The film is kept as long as this window is open; it is not saved with the study."
)
_FOLD = f"Go back to any snapshot of the training. {_KEPT}"
_USE = (
    "Map all cubes with this snapshot in place of the clusters in use. Your groups are "
    "kept: clusters are matched by overlap, and what cannot be matched is said. Undo "
    "brings the clusters before back, with their maps and groups"
)


class FilmStrip(QWidget):
    """Score, active clusters and a slider over the snapshots of a training.

    Its button, `fold`, has a place of its own; it is hidden as long as there are fewer
    than two snapshots, the strip while it is folded.

    Parameters
    ----------
    shared : Workspace
    status : StatusLine
        Where the frame on show is described.
    theme : str
        The viewer's; `set_theme` follows it.
    """

    def __init__(self, shared: Workspace, status: StatusLine, theme: str) -> None:
        super().__init__()
        self.setObjectName("dgc_film")
        self._shared = shared
        self._status = status
        self.session = FilmSession(shared, self)
        self._make_widgets(theme)
        self._lay_out()
        self._connect()
        self.refresh()

    def set_theme(self, theme: str) -> None:
        """Take over the theme's colours."""
        self.plot.set_theme(theme)
        self.legend.setText(word_legend(theme))

    def refresh(self) -> None:
        """Show the film as it is, and enable what can be done now."""
        film = self.session.film
        many = len(film.frames) > 1
        self.fold.setVisible(many)
        self.setVisible(many and self.fold.isChecked())
        if not many:
            return
        self.fold.setToolTip(f"{word_film(film)}. {_FOLD}")
        self.plot.show_film(film)
        self._show_place()

    def _show_place(self) -> None:
        """Show which frame is on the image, and what can be done with it."""
        film, index = self.session.film, self.session.index
        if not film.frames:
            return
        taking = self._shared.session.taking
        showing, in_use = index >= 0, self.session.in_use
        here = index if showing else in_use
        step = film.frames[here if here >= 0 else -1].step
        self.plot.mark(step if showing else None)
        self.slider.show_film(film, step)
        for part in (self.plot, self.slider):
            part.setEnabled(not taking)
        used = showing and index == in_use
        self.use_button.setEnabled(showing and not taking and not used)
        self.use_button.setToolTip(
            "These clusters are in use already" if used else _USE
        )
        self.back_button.setEnabled(showing and not taking)

    def _make_widgets(self, theme: str) -> None:
        self.fold = QToolButton()
        self.fold.setText("Film")
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.fold.setArrowType(Qt.ArrowType.RightArrow)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setToolTip(_FOLD)
        self.plot = FilmPlot(theme)
        self.legend = QLabel(word_legend(theme))
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setToolTip(
            "Score: left axis, the higher the better. Active clusters: right axis"
        )
        self.slider = FilmSlider()
        self.slider.setToolTip(
            "Drag to show earlier snapshots on the image; Esc leaves"
        )
        self.use_button = QPushButton("Use this one")
        self.back_button = QPushButton("Back to result")
        self.back_button.setToolTip("Show the map in use again (Esc)")

    def _lay_out(self) -> None:
        # All is there from the start: nothing moves below the mouse that scrubs.
        self.buttons = QWidget()
        row = QHBoxLayout(self.buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.legend)
        row.addStretch()
        row.addWidget(self.use_button)
        row.addWidget(self.back_button)
        scrubber = QHBoxLayout()
        # The slider's ends are below those of the curves.
        scrubber.setContentsMargins(AXIS_WIDTH, 0, COUNT_WIDTH, 0)
        scrubber.addWidget(self.slider)
        self.body = QWidget()
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(2)
        inner.addWidget(self.plot)
        inner.addLayout(scrubber)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.buttons)
        layout.addWidget(self.body)
        self._on_folded(False)

    def _connect(self) -> None:
        self.fold.toggled.connect(self._on_folded)
        self.fold.clicked.connect(self._on_fold_clicked)
        self.plot.pointed.connect(self._on_pointed)
        self.slider.valueChanged.connect(self._on_pointed)
        self.slider.sliderPressed.connect(self._on_slider_pressed)
        self.use_button.clicked.connect(self._on_use_clicked)
        self.back_button.clicked.connect(self._on_back_clicked)
        self.session.changed.connect(self.refresh)
        self.session.moved.connect(self._on_moved)
        self.session.said.connect(self._status.say)
        self.session.failed.connect(self._status.report)
        self._shared.session.ended.connect(self.refresh)
        self._shared.study.model_changed.connect(self._on_model_changed)
        self._shared.session.runner.running_changed.connect(self._on_run_turned)

    def _on_folded(self, unfolded: bool) -> None:
        self.setVisible(unfolded and len(self.session.film.frames) > 1)
        arrow = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow
        self.fold.setArrowType(arrow)
        if not unfolded:
            self.session.leave()

    def _on_fold_clicked(self, unfolded: bool) -> None:
        if unfolded:  # to be read without hovering, too
            self._status.say(_KEPT)

    def _on_pointed(self, step: float) -> None:
        index = self.session.film.nearest(round(step))
        if index != self.session.index:
            self.session.show(index)

    def _on_slider_pressed(self) -> None:
        self._on_pointed(self.slider.value())

    def _on_moved(self, index: int) -> None:
        self._show_place()

    def _on_run_turned(self, running: bool) -> None:
        self.refresh()

    def _on_model_changed(self, _: object) -> None:
        self.refresh()

    def _on_back_clicked(self) -> None:
        self.session.leave()

    def _on_use_clicked(self) -> None:
        if self._may_replace():
            self.session.use()
            self.refresh()

    def _may_replace(self) -> bool:
        """Tell before what becomes of the user's groups."""
        history = self._shared.study.history
        count = len(history.operations) if history is not None else 0
        index = self.session.index
        if not count or index < 0:
            return index >= 0
        name = name_frame(self.session.film.frames[index].step)
        lost = word_foreseen(self.session.foresee())
        return ask(
            self,
            f"Use {name}?",
            f"All cubes are mapped with the clusters of {name}. Your groups go on with "
            "them where clusters match by overlap; what does not match is said. "
            f"{lost}Undo takes all of this back: this map, your groups and your "
            f"{count} step{'s' * (count != 1)}.",
            f"Use {name}",
            "Keep my groups",
        )
