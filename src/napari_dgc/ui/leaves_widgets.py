"""What the dock "Leaves" is made of, and where it stands."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from napari_dgc.ui.leaves_table import LeafModel, LeafTable
from napari_dgc.ui.second_dock import ClosableWidget
from napari_dgc.ui.section import SLIM

_HEIGHT = 230  # pixels, of 800 in a small window
_WARNING = "QLabel { border-left: 3px solid #d98a00; padding-left: 4px; }"
_STALE = "QPushButton { padding: 3px; font-weight: bold; border: 1px solid #d98a00; }"


class LeavesWidgets(ClosableWidget):
    """Buttons above and beside the table, and a line below it."""

    def __init__(self) -> None:
        super().__init__(_HEIGHT)
        self.setObjectName("dgc_leaves_dock")
        self.setStyleSheet(SLIM)
        self._make_finding()
        self._make_editing()
        self.progress = QProgressBar()
        self.progress.setMaximumHeight(14)
        self.progress.hide()
        self.model = LeafModel(self)
        self.table = LeafTable(self.model)
        self.words = QLabel()
        self.words.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self._lay_out()

    def say(self, text: str, warn: bool = False) -> None:
        """Show a line below the table."""
        self.words.setText(text)
        self.words.setToolTip(text)
        self.words.setStyleSheet(_WARNING if warn else "")

    def show_begun(self, number: int, total: int) -> None:
        """Tell which cube's leaves are looked for; one alone has no share to show."""
        self.progress.setRange(0, total if total > 1 else 0)
        self.progress.setValue(number - 1)
        self.progress.setFormat(f"cube {number} of {total}")

    def mark_stale(self, stale: bool) -> None:
        """Let the button that finds the leaves stand out."""
        self.find_button.setStyleSheet(_STALE if stale else "")

    def _make_finding(self) -> None:
        self.find_button = QPushButton("Find leaves")
        self.find_button.setToolTip(
            "Find the leaves of all cubes: connected pieces of what is healthy or "
            "lesion, numbered as one reads"
        )
        self.least = QDoubleSpinBox()
        self.least.setDecimals(0)
        self.least.setRange(0, 10_000_000)
        self.least.setSpecialValueText("0.1 % of image")
        self.least.setToolTip(
            "Drop smaller pieces. At 0: those below a thousandth of the image"
        )
        self.unit = QComboBox()
        self.unit.addItems(["px", "mm²"])
        self.unit.currentIndexChanged.connect(self.least.setDecimals)  # mm²: one
        self.unit.setToolTip("mm² needs the pixel size: see Measures…")
        self.part = QCheckBox("Part touching leaves")
        self.part.setToolTip("Cut a piece in two where it has a neck")
        self.measures_button = QPushButton("Measures…")
        self.measures_button.setToolTip(
            "Pixel size, smallest lesion, and a table of plants and days"
        )

    def _make_editing(self) -> None:
        self.edit_button = QPushButton("Edit by hand")
        self.edit_button.setToolTip("Paint and erase leaves with napari's tools")
        self.discard_button = QPushButton("Discard")
        self.discard_button.setToolTip("Leave the leaves as they were before painting")
        self.cut_button = QPushButton("Cut")
        self.cut_button.setCheckable(True)
        self.cut_button.setToolTip("Draw a line on the image: it parts a leaf in two")
        self.merge_button = QPushButton("Merge")
        self.merge_button.setToolTip("Make one leaf of the selected rows")
        self.delete_button = QPushButton("Delete")
        self.delete_button.setToolTip("The selected pieces are no leaves")
        self.undo_button = QPushButton("Take back")
        self.layer_button = QPushButton("Use a layer")
        self.layer_button.setToolTip(
            "A Labels or Shapes layer of yours as the leaves of this cube, or as the "
            "area to look at"
        )
        self.layer_menu = QMenu(self)
        self.layer_button.setMenu(self.layer_menu)

    def _lay_out(self) -> None:
        self.setMinimumHeight(150)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.find_button)
        top.addWidget(QLabel("at least"))
        for widget in (self.least, self.unit, self.part):
            top.addWidget(widget)
        top.addStretch()
        top.addWidget(self.measures_button)
        side = QGridLayout()
        side.setSpacing(3)
        pairs = (
            (self.edit_button, self.discard_button),
            (self.cut_button, self.merge_button),
            (self.delete_button, self.undo_button),
        )
        for row, pair in enumerate(pairs):
            for column, button in enumerate(pair):
                side.addWidget(button, row, column)
        side.addWidget(self.layer_button, len(pairs), 0, 1, 2)
        side.setRowStretch(len(pairs) + 1, 1)
        middle = QHBoxLayout()
        middle.setSpacing(6)
        middle.addWidget(self.table, stretch=1)
        middle.addLayout(side)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 2)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(middle, stretch=1)
        layout.addWidget(self.progress)
        layout.addWidget(self.words)
