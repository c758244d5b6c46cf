"""The dock "Evaluation": how well the groups agree with labels, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari.viewer
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_dgc.study.evaluating.comparison import (
    ELSEWHERE,
    FALSE,
    MISSED,
    NOT_SCORED,
    RIGHT,
    WRONG,
)
from napari_dgc.study.exports import file_stems
from napari_dgc.ui.evaluation_layer import COLORS, WORDS
from napari_dgc.ui.evaluation_saving import EvaluationSaving
from napari_dgc.ui.evaluation_table import ClassTable
from napari_dgc.ui.evaluation_wording import (
    ALIGNMENTS,
    EMPTY,
    NO_MAP,
    make_rows,
    word_cube,
    word_scores,
)
from napari_dgc.ui.notices import one_line
from napari_dgc.ui.second_dock import ClosableWidget
from napari_dgc.ui.workspace import Workspace

if TYPE_CHECKING:
    from napari_dgc.ui.evaluation import Evaluation

_HEIGHT = 240  # pixels, of 800 in a small window
_CUBES_WIDTH = 210  # pixels
_NOTHING = "nothing"


class EvaluationDock(ClosableWidget):
    """Scores of each class and cube, live, and what the colours on the image mean.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    workspace : Workspace
    evaluation : Evaluation
        Whose session is shown.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        workspace: Workspace,
        evaluation: Evaluation,
    ) -> None:
        super().__init__(_HEIGHT)
        self.setObjectName("dgc_evaluation_dock")
        self._workspace = workspace
        self._evaluation = evaluation
        self._session = evaluation.session
        self._make_widgets()
        self._lay_out()
        self._connect()

    # -- what is shown -------------------------------------------------

    def renew(self) -> None:
        """Show what has changed; nothing while hidden."""
        if not self.isVisible():
            return
        session, grouping = self._session, self._workspace.study.grouping
        comparison = session.comparison
        there = comparison is not None and grouping is not None
        self.pages.setCurrentWidget(self.results if there else self.empty)
        waiting = EMPTY if not len(session) else NO_MAP
        if session.fault is not None:
            waiting = one_line(session.fault)
        self.empty.setText(waiting)
        for widget in (self.alignment, self.left_out, self.drawn_button):
            widget.setEnabled(there)
        self.forget_button.setEnabled(len(session) > 0)
        self.saving.offer(comparison if there else None)
        with QSignalBlocker(self.drawn_button):
            self.drawn_button.setChecked(session.drawn)
        with QSignalBlocker(self.alignment):
            self.alignment.setCurrentIndex(self.alignment.findData(session.alignment))
        self._show_legend()
        if comparison is None or grouping is None:
            # What was left out may be the reason: it can be taken back.
            self.left_out.setEnabled(session.ignored is not None)
            self.alignment.setEnabled(session.fault is not None)
            self.words.setText("")
            return
        self._show_left_out(tuple(comparison.scores["classes"]))
        rows = make_rows(comparison, grouping)
        self.classes.show_rows(rows, grouping, session.chosen)
        self._show_cubes(comparison.scores["cubes"])
        text = word_scores(comparison.scores, session.alignment)
        self.words.setText(text)
        self.words.setToolTip(text)

    def _show_left_out(self, classes: tuple[str, ...]) -> None:
        ignored = self._session.ignored
        names = [_NOTHING, *classes]
        if ignored is not None:
            names.insert(1, ignored)
        with QSignalBlocker(self.left_out):
            self.left_out.clear()
            for name in names:
                self.left_out.addItem(name, None if name == _NOTHING else name)
            self.left_out.setCurrentIndex(0 if ignored is None else 1)

    def _show_cubes(self, cubes: dict[str, float | None]) -> None:
        """List the cubes compared; the one on show is the one selected."""
        stems = file_stems([cube.name for cube in self._workspace.study.cubes])
        bar = self.cubes.verticalScrollBar()
        at = bar.value()
        with QSignalBlocker(self.cubes):
            self.cubes.setRowCount(len(cubes))
            self.cubes.clearSelection()
            for row, (stem, iou) in enumerate(cubes.items()):
                place = stems.index(stem) if stem in stems else -1
                for column, text in enumerate((stem, word_cube(iou))):
                    item = QTableWidgetItem(text)
                    item.setToolTip(f"{stem}: click to go there")
                    item.setData(Qt.ItemDataRole.UserRole, place)
                    if column:
                        item.setTextAlignment(
                            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                        )
                    self.cubes.setItem(row, column, item)
                if place >= 0 and place == self._workspace.display.shown:
                    self.cubes.selectRow(row)
        bar.setValue(at)
        self.cubes.viewport().update()

    def _show_legend(self) -> None:
        """Say what the colours mean, and how many pixels of this cube have each."""
        session, counts = self._session, self._session.counts
        kinds = [RIGHT, MISSED, FALSE, ELSEWHERE]
        if session.chosen is None:
            kinds = [RIGHT, WRONG]
        scored = int(counts.sum() - counts[NOT_SCORED])
        parts = []
        for kind in kinds if scored else []:
            name = QColor(*COLORS[kind]).name()
            square = f"<span style='color: {name}; font-size: large'>■</span>"
            parts.append(f"{square} {WORDS[kind]} {counts[kind]:,}")
        if not scored and session.drawn and session.comparison is not None:
            parts = ["No label of this cube that counts."]
        self.legend.setText("&nbsp; ".join(parts))

    # -- what the user does --------------------------------------------

    def _on_alignment_chosen(self, index: int) -> None:
        self._session.set_alignment(self.alignment.itemData(index))

    def _on_left_out_chosen(self, index: int) -> None:
        self._session.ignore(self.left_out.itemData(index))

    def _on_cube_clicked(self, row: int, column: int) -> None:
        item = self.cubes.item(row, column)
        place = -1 if item is None else item.data(Qt.ItemDataRole.UserRole)
        if 0 <= place != self._workspace.display.shown:
            self._workspace.display.show(place)

    def _on_labels_wanted(self, _: bool = False) -> None:
        self._evaluation.ask_files()

    def _on_forget_wanted(self, _: bool = False) -> None:
        self._session.forget()

    # -- coming and going ----------------------------------------------

    def _make_widgets(self) -> None:
        self.alignment = QComboBox()
        for alignment, tip in ALIGNMENTS.items():
            self.alignment.addItem(alignment, alignment)
            last = self.alignment.count() - 1
            self.alignment.setItemData(last, tip, Qt.ItemDataRole.ToolTipRole)
        self.alignment.setToolTip("Which groups stand for which class")
        self.left_out = QComboBox()
        self.left_out.addItem(_NOTHING, None)
        self.left_out.setToolTip(
            "A class that is not scored, such as unlabelled pixels"
        )
        # A name of 60 letters must not push the buttons out.
        self.left_out.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.left_out.setMinimumContentsLength(10)
        self.drawn_button = QPushButton("Differences")
        self.drawn_button.setCheckable(True)
        self.drawn_button.setToolTip("Draw the differences on the image, or not")
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setToolTip("Pixels of the cube on show, of those that are scored")
        self.labels_button = QPushButton("Labels…")
        self.labels_button.setToolTip("Read label files, each named as its cube")
        self.forget_button = QPushButton("Forget")
        self.forget_button.setToolTip("Compare no more; the label files stay")
        self.saving = EvaluationSaving(self, self._workspace.status)
        self.classes = ClassTable()
        self.cubes = QTableWidget(0, 2)
        self.cubes.setHorizontalHeaderLabels(["Cube", "Mean IoU"])
        self.cubes.verticalHeader().hide()
        self.cubes.verticalHeader().setDefaultSectionSize(22)
        self.cubes.setShowGrid(False)
        self.cubes.setFixedWidth(_CUBES_WIDTH)
        self.cubes.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.cubes.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.cubes.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.cubes.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setHighlightSections(False)
        self.results, self.empty = QWidget(), QLabel()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.results)
        self.words = QElidingLabel()

    def _lay_out(self) -> None:
        self.setMinimumHeight(130)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(QLabel("Groups to classes"))
        top.addWidget(self.alignment)
        top.addWidget(QLabel("Leave out"))
        top.addWidget(self.left_out)
        top.addWidget(self.drawn_button)
        top.addStretch()
        top.addWidget(self.saving.button)
        top.addWidget(self.labels_button)
        top.addWidget(self.forget_button)
        tables = QHBoxLayout(self.results)
        tables.setContentsMargins(0, 0, 0, 0)
        tables.addWidget(self.classes, stretch=1)
        tables.addWidget(self.cubes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.pages, stretch=1)
        bottom = QHBoxLayout()
        bottom.setSpacing(12)
        bottom.addWidget(self.legend)
        bottom.addWidget(self.words, stretch=1)
        layout.addLayout(bottom)

    def _connect(self) -> None:
        session = self._session
        self.listen((self._workspace.regrouped, self._on_anything_changed))
        # A Qt object like this one, and gone before it with the window: Qt lets go.
        session.changed.connect(self._on_anything_changed)
        self.alignment.activated.connect(self._on_alignment_chosen)
        self.left_out.activated.connect(self._on_left_out_chosen)
        self.drawn_button.toggled.connect(session.set_drawn)
        self.labels_button.clicked.connect(self._on_labels_wanted)
        self.forget_button.clicked.connect(self._on_forget_wanted)
        self.classes.chosen.connect(session.choose)
        self.classes.assigned.connect(session.assign)
        self.cubes.cellClicked.connect(self._on_cube_clicked)
