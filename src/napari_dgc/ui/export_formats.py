"""More of what an export can write: the box behind "More"."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPoint, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_dgc.ui.notices import Heading

# Format of `Export`, its box, and what it is for.
_FORMATS = (
    ("overlay", "Overlay on the cube's picture", "NAME_groups_overlay.png"),
    (
        "envi",
        "ENVI classification",
        "NAME_groups.hdr and .dat, with the groups' names and colours; where the "
        "cube lies is kept",
    ),
    ("labelme", "LabelMe polygons", "NAME_groups.json: to edit the outlines by hand"),
    ("npy", "NumPy array (.npy)", "NAME_groups.npy: label values, uint8"),
    ("pth", "PyTorch tensor (.pth)", "NAME_groups.pth: label values, uint8"),
)
_LARGEST = 10_000.0  # mm
DECIMALS = 4
_FRAMED = "#dgc_popup { border: 1px solid #808080; } QCheckBox { spacing: 6px; }"


class MoreFormats(QDialog):
    """Formats that few need, and the pixel size where no header says it.

    A popup and not a menu: several boxes are ticked one after the other, and the
    keyboard moves between them as in any form.

    Signals
    -------
    changed : ()
        Another set of formats is ticked, or the pixel size is another.
    """

    changed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.boxes: dict[str, QCheckBox] = {}
        frame = QFrame()
        frame.setObjectName("dgc_popup")
        frame.setStyleSheet(_FRAMED)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(frame)
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(6)
        layout.addWidget(Heading("More formats"))
        for kind, text, tip in _FORMATS:
            box = QCheckBox(text)
            box.setToolTip(tip)
            box.toggled.connect(self.changed)
            self.boxes[kind] = box
            layout.addWidget(box)
        self.pixel = QDoubleSpinBox()
        self.pixel.setDecimals(DECIMALS)
        self.pixel.setRange(0.0, _LARGEST)
        self.pixel.setSingleStep(0.1)
        self.pixel.setSuffix(" mm")
        self.pixel.setSpecialValueText("unknown")
        self.pixel.setMinimumWidth(100)
        self.pixel.setToolTip(
            "Width of a pixel in all cubes, kept with the study: the tables then give "
            "areas in mm², too. Unknown: what the files say, else pixels only"
        )
        self.pixel.valueChanged.connect(self.changed)
        self.size_row = QWidget()
        row = QHBoxLayout(self.size_row)
        row.setContentsMargins(0, 4, 0, 0)
        label = QLabel("Pixel size for the tables")
        label.setBuddy(self.pixel)
        row.addWidget(label)
        row.addWidget(self.pixel)
        layout.addWidget(self.size_row)

    @property
    def formats(self) -> list[str]:
        """The formats that are ticked."""
        return [kind for kind, box in self.boxes.items() if box.isChecked()]

    @property
    def pixel_mm(self) -> float | None:
        """Width of a pixel in mm; None where it was not given."""
        return float(self.pixel.value()) or None

    def event(self, event: QEvent) -> bool:
        """Keep keys here: Qt counts a popup among the dock's children, Esc and all."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def show_size(self, mm: float | None) -> None:
        """Show another pixel size without telling."""
        self.pixel.blockSignals(True)
        self.pixel.setValue(mm or 0.0)
        self.pixel.blockSignals(False)

    def ask_size(self, wanted: bool) -> None:
        """Show the field for the pixel size, or not."""
        self.size_row.setVisible(wanted)
        self.adjustSize()

    def open_above(self, widget: QWidget) -> None:
        """Open with the lower edge at a widget, as that is at the window's bottom."""
        self.adjustSize()
        corner = widget.mapToGlobal(QPoint(0, 0))
        screen = widget.screen().availableGeometry()
        x = min(corner.x() + widget.width(), screen.right()) - self.width()
        y = corner.y() - self.height()
        if y < screen.top():
            y = corner.y() + widget.height()
        self.move(max(x, screen.left()), y)
        self.show()
        next(iter(self.boxes.values())).setFocus(Qt.FocusReason.PopupFocusReason)
