"""The first row of the dock: which study this is, and whether it is on disk."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_dgc.ui.app_data import recent_studies
from napari_dgc.ui.drafts import Draft, left_drafts, word_time
from napari_dgc.ui.menus import STUDY_FILTER
from napari_dgc.ui.notices import Heading, StatusLine, WrappedLabel, ask, one_line
from napari_dgc.ui.study_keeping import suggest_name
from napari_dgc.ui.workspace import Workspace

_FORGET = (
    "Delete this unsaved study: its merges, names and maps? The cubes' own files stay."
)


class StudyPanel(QWidget):
    """Open, save and begin studies."""

    def __init__(self, workspace: Workspace, status: StatusLine) -> None:
        super().__init__()
        self._session = workspace.studies
        self._study = workspace.study
        self._status = status
        self._drafts: list[Draft] = []
        self._make_widgets()
        self._lay_out()
        self._connect()
        self.offer_drafts()
        self.refresh()

    # -- what the user can do ---------------------------------------------------

    def save(self) -> None:
        """Write now; a study without a name is asked for one."""
        if self._session.keeper.path is None:
            self.save_as()
        else:
            self._session.keeper.save()

    def save_as(self) -> None:
        """Ask where the study shall be kept from now on."""
        if not self._study.cubes and self._study.model is None:
            self._status.say("There is nothing to save yet: begin with a cube.")
            return
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the study as", str(suggest_name(self._study)), STUDY_FILTER
        )
        if path:
            self._session.save_as(path)

    def open(self) -> None:
        """Ask for a study and open it."""
        path, _ = QFileDialog.getOpenFileName(self, "Open a study", "", STUDY_FILTER)
        if path:
            self._session.open(path)

    def find_missing(self) -> None:
        """Ask where a missing cube is now."""
        for reference in self._study.missing.values():
            path, _ = QFileDialog.getOpenFileName(
                self, f"Where is {reference.name} now?", str(reference.path or "")
            )
            if path:
                self._session.find_missing(path)
            return

    def offer_drafts(self) -> None:
        """Offer what an earlier window has left unsaved."""
        self._drafts = left_drafts()
        self.offer.setVisible(bool(self._drafts))
        if self._drafts:
            self.offered.setText(f"Your unnamed study: {self._drafts[0].describe()}")

    def refresh(self) -> None:
        """Say what the study is called and whether it is on disk."""
        keeper = self._session.keeper
        path, error = keeper.path, keeper.error
        named = path is not None
        self.title.setText(path.name.removesuffix(".dgc.json") if path else "unnamed")
        self.title.setToolTip(str(path or "A study that has no name yet"))
        if error is not None:
            text, tip = "not saved", one_line(error)
        elif keeper.pending:
            text, tip = "saving…", "Being written"
        elif named and keeper.saved_at is not None:
            text = f"saved {word_time(keeper.saved_at)}"
            tip = "Each step is saved by itself"
        elif keeper.place is not None:
            text = "kept by itself"
            tip = "Kept by itself and offered again; “Save as…” gives it a name"
        else:
            text, tip = "", ""
        self.state.setText(text)
        self.state.setToolTip(tip)
        self.state.setStyleSheet("color: #d6453d;" if error is not None else "")
        self.find_button.setVisible(bool(self._study.missing))

    # -- inside -------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.title = QLabel()
        self.title.setObjectName("dgc_study")
        self.title.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self.state = QLabel()
        self.state.setObjectName("dgc_study_state")
        self.menu_button = QPushButton("Study")
        self.menu_button.setToolTip("Open, save or begin a study")
        self.menu = QMenu(self.menu_button)
        self.menu_button.setMenu(self.menu)
        self.find_button = QPushButton("Find cube…")
        self.find_button.setToolTip("Say where the missing cube's file is now")
        self.offered = WrappedLabel()
        self.restore_button = QPushButton("Continue")
        self.restore_button.setToolTip("Go on with the study that has no name yet")
        self.forget_button = QPushButton("Delete…")
        self.forget_button.setToolTip("Delete the study that was not saved")

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(Heading("Study"))
        row.addWidget(self.title, stretch=1)
        row.addWidget(self.state)
        row.addWidget(self.find_button)
        row.addWidget(self.menu_button)
        self.offer = QWidget()
        offer = QHBoxLayout(self.offer)
        offer.setContentsMargins(0, 0, 0, 0)
        offer.addWidget(self.offered, stretch=1)
        offer.addWidget(self.restore_button, alignment=Qt.AlignmentFlag.AlignTop)
        offer.addWidget(self.forget_button, alignment=Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.offer)

    def _connect(self) -> None:
        self._session.changed.connect(self.refresh)
        self._study.cubes_changed.connect(self._on_cubes_changed)
        self.find_button.clicked.connect(self.find_missing)
        self.menu.aboutToShow.connect(self.fill_menu)
        self.restore_button.clicked.connect(self._on_restore_clicked)
        self.forget_button.clicked.connect(self._on_forget_clicked)

    def fill_menu(self) -> None:
        """Fill the menu with what can be done now."""
        self.menu.clear()
        self.menu.addAction("New", self._session.begin)
        self.menu.addAction("Open…", self.open)
        recent = self.menu.addMenu("Open recent")
        for path in recent_studies():
            action = recent.addAction(path.name, partial(self._session.open, path))
            action.setToolTip(str(path))
        recent.setEnabled(not recent.isEmpty())
        self.menu.addSeparator()
        self.menu.addAction("Save\tCtrl+S", self.save)
        self.menu.addAction("Save as…\tCtrl+Shift+S", self.save_as)

    def _on_cubes_changed(self, cubes: tuple) -> None:
        if cubes:  # begun with something else
            self.offer.setVisible(False)
        self.refresh()

    def _on_restore_clicked(self) -> None:
        self.offer.setVisible(False)
        self._session.restore(self._drafts[0])

    def _on_forget_clicked(self) -> None:
        if ask(self, "Delete the unsaved study", _FORGET, "Delete", "Keep"):
            draft = self._drafts[0]
            if draft.hold():
                draft.discard()
            self.offer_drafts()
