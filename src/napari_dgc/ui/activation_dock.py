"""The dock "Activation": which clusters or groups fire in which cubes."""

from __future__ import annotations

import napari.viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
)

from napari_dgc.ui.activation_model import ActivationModel
from napari_dgc.ui.activation_saving import ActivationSaving
from napari_dgc.ui.activation_source import ALIKE, DATE, LISTED, ActivationSource
from napari_dgc.ui.activation_view import ActivationView
from napari_dgc.ui.activation_wording import explain_cell, explain_column, explain_row
from napari_dgc.ui.second_dock import ClosableWidget
from napari_dgc.ui.workspace import Workspace

_HEIGHT = 230  # pixels, of 800 in a small window
_HINT = "In % of a cube's valid pixels; coloured above 0.1 %. Click a cell to go there."
_ORDER = "Order of the cubes"
_UNDATED = "Their names hold no dates or days: by date is as listed"
_ONE_CUBE = "With more cubes you see here which clusters are in some of them only."


class ActivationDock(ClosableWidget):
    """A heat map of clusters or groups (rows) in cubes (columns), live.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    workspace : Workspace

    Notes
    -----
    While hidden it computes nothing; what it missed is made up for when shown.
    """

    def __init__(self, viewer: napari.viewer.Viewer, workspace: Workspace) -> None:
        super().__init__(_HEIGHT)
        self.setObjectName("dgc_activation_dock")
        self._viewer = viewer
        self._workspace = workspace
        self._source = ActivationSource(workspace.study)
        self._make_widgets()
        self._lay_out()
        self._connect()

    # -- what is shown ----------------------------------------------------------

    def renew(self) -> None:
        """Show what has changed; nothing while hidden."""
        if not self.isVisible():
            return
        matrix = self._source.matrix(
            clusters=self.clusters_button.isChecked(),
            rows=self.rows.currentData(),
            columns=self.columns.currentData(),
        )
        fault = self._source.fault
        self.empty.setText(fault)
        self.pages.setCurrentWidget(self.empty if fault else self.view)
        bars = self.view.verticalScrollBar(), self.view.horizontalScrollBar()
        places = [bar.value() for bar in bars]
        anew = self.model.show(matrix)
        self.view.fit()  # a name may be longer now
        if anew:
            for bar, place in zip(bars, places, strict=True):
                bar.setValue(place)  # Qt goes to the first row of a new table
        for widget in (self.rows, self.columns, self._row_label, self._column_label):
            widget.setEnabled(not fault)
        self.columns.setToolTip(
            _ORDER if self._source.dated else f"{_ORDER}. {_UNDATED}"
        )
        self.view.repaint_all()
        self.saving.offer(matrix)
        self._mark()
        self._say("")

    def _mark(self, *_: object) -> None:
        """Show what is selected, and which cube is on show."""
        matrix, selection = self.model.matrix, self._workspace.selection
        if matrix is None or not self.isVisible():
            return
        clusters = self.clusters_button.isChecked()
        rows = (
            row
            for row, head in enumerate(matrix.heads)
            if head.group in selection.ids
            or (clusters and head.id in selection.members)
        )
        self.view.mark(frozenset(rows), self._workspace.display.shown)

    def _say(self, text: str) -> None:
        if not text and self.model.matrix is not None:
            text = _ONE_CUBE if len(self.model.matrix.cubes) == 1 else _HINT
            unmapped = self._source.unmapped
            if unmapped:
                cubes = "cube has" if unmapped == 1 else "cubes have"
                text = f"{unmapped} {cubes} no map yet and no column. {text}"
        self.words.setText(text)
        self.words.setToolTip(text)

    # -- what the user does -------------------------------------------------------

    def _on_wanted(self, row: int, column: int) -> None:
        """Show a column's cube, select a row's cluster or group."""
        matrix, shared = self.model.matrix, self._workspace
        if matrix is None:
            return
        if column >= 0 and matrix.cubes[column] != shared.display.shown:
            shared.display.show(matrix.cubes[column])
        if row < 0:
            text = explain_column(matrix, column)
        else:
            head, grouping = matrix.heads[row], shared.study.grouping
            if grouping is None:
                return
            if head.clusters == grouping.group(head.group).clusters:
                shared.selection.set({head.group})
            else:
                shared.selection.set((), head.clusters)
            one = column < 0
            text = (
                explain_row(matrix, row) if one else explain_cell(matrix, row, column)
            )
        shared.status.say(text)

    def _on_numbers_changed(self, *_: object) -> None:
        self._source.forget()
        self._renewal.start(0)

    def _on_theme_changed(self, event) -> None:
        self.view.set_theme(event.value)

    # -- coming and going -------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.model = ActivationModel(self)
        self.view = ActivationView(self.model, self._viewer.theme)
        self.clusters_button = QPushButton("Clusters")
        self.clusters_button.setToolTip("One row per learned cluster")
        self.groups_button = QPushButton("Groups")
        self.groups_button.setToolTip("One row per group; follows every merge")
        self._scope = QButtonGroup(self)
        for button in (self.groups_button, self.clusters_button):
            button.setCheckable(True)
            self._scope.addButton(button)
        self.groups_button.setChecked(True)
        self.rows, self.columns = QComboBox(), QComboBox()
        self.rows.setToolTip("Order of the rows")
        for text, order in (("alike together", ALIKE), ("as in the table", LISTED)):
            self.rows.addItem(text, order)
        for text, order in (
            ("by date", DATE),
            ("alike together", ALIKE),
            ("as listed", LISTED),
        ):
            self.columns.addItem(text, order)
        self._row_label, self._column_label = QLabel("Rows"), QLabel("Cubes")
        self.saving = ActivationSaving(self, self._workspace.status)
        self.empty = QLabel()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.words = QLabel()
        self.words.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self.pages = QStackedWidget()
        self.pages.addWidget(self.view)
        self.pages.addWidget(self.empty)

    def _lay_out(self) -> None:
        self.setMinimumHeight(130)
        top = QHBoxLayout()
        top.setSpacing(4)
        for button in (self.groups_button, self.clusters_button):
            top.addWidget(button)
        top.addSpacing(6)
        for widget in (self._row_label, self.rows, self._column_label, self.columns):
            top.addWidget(widget)
        top.addStretch()
        top.addWidget(self.saving.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.pages, stretch=1)
        layout.addWidget(self.words)

    def _connect(self) -> None:
        shared, study = self._workspace, self._workspace.study
        self.listen(
            (shared.regrouped, self._on_anything_changed),
            (shared.selection.changed, self._mark),
            (shared.display.shown_changed, self._mark),
            (study.map_changed, self._on_numbers_changed),
            (study.cubes_changed, self._on_numbers_changed),
            (study.model_changed, self._on_numbers_changed),
            (self._viewer.events.theme, self._on_theme_changed),
        )
        self._scope.buttonToggled.connect(self._on_anything_changed)
        self.rows.currentIndexChanged.connect(self._on_anything_changed)
        self.columns.currentIndexChanged.connect(self._on_anything_changed)
        self.view.wanted.connect(self._on_wanted)
        self.view.said.connect(self._say)
