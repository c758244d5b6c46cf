"""The slider from many groups to few."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget
from superqt import QLabeledSlider

from napari_dgc.merging.grouping import Grouping, MergeError
from napari_dgc.study import Study

_SETTLED_MS = 700  # keys or wheel within this time of each other are one slide


class GranularitySlider(QWidget):
    """Cuts the tree of clusters at n groups.

    One slide, from press to release, is one step to undo: its first position
    takes a step, each further one takes that step's place.

    Parameters
    ----------
    study : Study
    refuse : callable
        Told the error where a cut is refused.
    """

    def __init__(self, study: Study, refuse: Callable[[MergeError], None]) -> None:
        super().__init__()
        self._study = study
        self._refuse = refuse
        self._began: int | None = None  # steps in the history when the slide began
        self._held = False  # the tree's line is being dragged
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self.slider = QLabeledSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip(
            "Number of groups: the most similar clusters are merged first. Locked "
            "groups and what you merged by hand stay together."
        )
        self.label = QLabel("Granularity")
        self.label.setToolTip(self.slider.toolTip())
        self.unit = QLabel()  # beside the slider's own number: "5" "groups"
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label)
        layout.addWidget(self.slider, stretch=1)
        layout.addWidget(self.unit)
        # A wheel that scrolls the dock shall not merge what it comes past.
        self._bare = self.slider.findChild(QSlider)
        self._bare.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._bare.installEventFilter(self)
        self.slider.valueChanged.connect(self._on_slider_moved)
        self.slider.sliderReleased.connect(self._on_slide_ended)
        self._settled.timeout.connect(self._on_slide_settled)
        self.show_grouping(None)

    def show_grouping(self, grouping: Grouping | None) -> None:
        """Follow a grouping that came about elsewhere."""
        self.slider.setEnabled(grouping is not None)
        self.slider.blockSignals(True)
        try:
            self.unit.setText("")
            if grouping is None:
                self.slider.setRange(0, 1)
                self.slider.setValue(0)
            else:
                fewest, most = reach(grouping)
                self.slider.setRange(fewest, most)
                count = len(grouping.groups)
                self.unit.setText("group" if count == 1 else "groups")
                self.unit.setToolTip(
                    f"{len(grouping.clusters)} clusters in {count} groups. From "
                    f"{fewest} to {most} groups now: what is locked or was merged by "
                    "hand stays together"
                )
                self.slider.setValue(count)
        finally:
            self.slider.blockSignals(False)

    def slide_to(self, count: int) -> None:
        """Follow the tree's line, which is being dragged, until `let_go`."""
        self._held = True
        self.slider.setValue(count)

    def let_go(self) -> None:
        """Notice that the tree's line was let go of."""
        self._held = False
        self._on_slide_ended()

    def step(self, by: int) -> bool:
        """Ask for some groups more or fewer; presses in quick succession are one slide.

        Returns
        -------
        bool
            False where there can be no more or no fewer.
        """
        before = self.slider.value()
        if self.slider.isEnabled():
            self.slider.setValue(before + by)
        return self.slider.value() != before

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel to the dock unless the slider has the focus."""
        if event.type() == QEvent.Type.Wheel and not self._bare.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def end_slide(self) -> None:
        """Let the next position be a step of its own."""
        self._settled.stop()
        self._began = None

    def _on_slider_moved(self, count: int) -> None:
        history = self._study.history
        if history is None:
            return
        if self._began is None:
            self._began = len(history.operations)
        began = self._began
        # Back where the slide began there is no step left to amend.
        amend = len(history.operations) > began
        try:
            self._study.cut(count, amend=amend)
        except MergeError as error:
            self._refuse(error)
        self._began = began  # what followed our own step has ended the slide
        if not self._is_held():
            self._settled.start()

    def _on_slide_ended(self) -> None:
        self.end_slide()
        self.show_grouping(self._study.grouping)

    def _on_slide_settled(self) -> None:
        if not self._is_held():
            self._on_slide_ended()

    def _is_held(self) -> bool:
        return self._held or self.slider.isSliderDown()


def reach(grouping: Grouping) -> tuple[int, int]:
    """Fewest and most groups a cut can make of a grouping."""
    locked = sum(group.locked for group in grouping.groups)
    atoms = sum(len(group.atoms) for group in grouping.groups if not group.locked)
    return locked + min(atoms, 1), locked + atoms
