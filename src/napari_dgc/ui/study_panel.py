"""The first row of the dock: which study this is, and whether it is on disk."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_dgc.study.storing.companions import SUFFIX
from napari_dgc.ui.app_data import recent_studies
from napari_dgc.ui.drafts import Draft, left_drafts, word_time
from napari_dgc.ui.menus import STUDY_FILTER
from napari_dgc.ui.notices import Heading, StatusLine, WrappedLabel, ask, one_line
from napari_dgc.ui.study_lock import is_open_elsewhere
from napari_dgc.ui.study_naming import suggest_name
from napari_dgc.ui.workspace import Workspace

_RECIPES = "Recipe (*.json)"
_ELSEWHERE = "Close it there first, or press Open once it is closed"
_FORGET = (
    "Delete this unsaved study: its merges, names and maps? The cubes' own files stay."
)


class StudyPanel(QWidget):
    """Open, save and begin studies."""

    def __init__(self, workspace: Workspace, status: StatusLine) -> None:
        super().__init__()
        self._session = workspace.studies
        self._recipes = workspace.recipes
        self._study = workspace.study
        self._status = status
        self._drafts: list[Draft] = []
        self._done_without: set[str] = set()  # missing cubes that may stay away
        self._last: Path | None = None
        self._make_widgets()
        self._lay_out()
        self._connect()
        self.offer_drafts()
        self.offer_last()

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
        path = self._session.keeper.path or suggest_name(self._study)
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the study as", str(path), STUDY_FILTER
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

    def apply_recipe(self) -> None:
        """Ask for a recipe and make the groups what it says; or stop doing so."""
        if self._recipes.runner.running:
            self._recipes.stop()
            return
        path, _ = QFileDialog.getOpenFileName(self, "Apply a recipe", "", _RECIPES)
        if path:
            self._recipes.apply(path)

    def offer_drafts(self) -> None:
        """Offer what an earlier window has left unsaved."""
        self._drafts = left_drafts()
        self.offer.setVisible(bool(self._drafts))
        if self._drafts:
            self.offered.setText(f"Your unnamed study: {self._drafts[0].describe()}")

    def offer_last(self) -> None:
        """Offer the study saved or opened last, until there is something else."""
        self._last = next(iter(recent_studies()), None)
        if self._last is not None:
            when = word_time(datetime.fromtimestamp(self._last.stat().st_mtime))
            name = self._last.name.removesuffix(SUFFIX)
            elsewhere = is_open_elsewhere(self._last)
            state = "open in another window" if elsewhere else when
            self.last_label.setText(f"Last study: {name}, {state}")
            tip = f"{self._last}\n{_ELSEWHERE}" if elsewhere else str(self._last)
            self.last_label.setToolTip(tip)
        self.refresh()

    def refresh(self, *_: object) -> None:
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
            if keeper.untouched:
                date = f"{keeper.saved_at.day} {keeper.saved_at:%B %Y, %H:%M}"
                text, tip = "opened", f"As it was saved on {date}. {tip}"
        elif keeper.place is not None:
            text = "kept by itself"
            tip = "Kept by itself and offered again; “Save as…” gives it a name"
        else:
            text, tip = "", ""
        self.state.setText(text)
        self.state.setToolTip(tip)
        self.state.setStyleSheet("color: #d6453d;" if error is not None else "")
        self._say_missing()
        begun = named or self._study.cubes or self._study.model is not None
        self.last.setVisible(self._last is not None and not begun)
        self.reading.setVisible(self._session.runner.running)

    def _say_missing(self) -> None:
        missing = self._study.missing
        names = [reference.name for reference in missing.values()]
        if set(names) != self._done_without:
            self._done_without.clear()  # another study, or one more was found
        self.missing.setVisible(bool(names) and not self._done_without)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        self.lost.setText(f"Not found: {', '.join(names[:3])}{more}")
        self.lost.setToolTip("\n".join(one.source for one in missing.values()))

    # -- inside -------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.title = QElidingLabel()
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
        self.lost = WrappedLabel()
        self.find_button = QPushButton("Find…")
        self.find_button.setToolTip(
            "Say where the first one is now; others are looked for beside it"
        )
        self.without_button = QPushButton("Go on without")
        self.without_button.setToolTip(
            "Their maps stay, and merging goes on; the menu finds them later"
        )
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setToolTip("What is being read")
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop reading; the present study stays")
        self.offered = WrappedLabel()
        self.restore_button = QPushButton("Continue")
        self.restore_button.setToolTip("Go on with the study that has no name yet")
        self.last_label = QElidingLabel()
        self.open_last_button = QPushButton("Open")
        self.open_last_button.setToolTip("Go on with the study that was saved last")
        self.forget_button = QPushButton("Delete…")
        self.forget_button.setToolTip("Delete the study that was not saved")

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(Heading("Study"))
        row.addWidget(self.title, stretch=1)
        row.addWidget(self.state)
        row.addWidget(self.menu_button)
        self.reading = _row(self.progress, self.cancel_button)
        self.missing = _row(self.lost, self.find_button, self.without_button)
        self.offer = _row(self.offered, self.restore_button, self.forget_button)
        self.last = _row(self.last_label, self.open_last_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        for below in (self.reading, self.missing, self.offer, self.last):
            layout.addWidget(below)

    def _connect(self) -> None:
        self._session.changed.connect(self.refresh)
        self._session.progressed.connect(self._on_read)
        self.cancel_button.clicked.connect(self._session.cancel)
        self._study.cubes_changed.connect(self.refresh)
        self._study.model_changed.connect(self._on_model_changed)
        self.find_button.clicked.connect(self.find_missing)
        self.without_button.clicked.connect(self._on_without_clicked)
        self.menu.aboutToShow.connect(self.fill_menu)
        self.restore_button.clicked.connect(self._on_restore_clicked)
        self.forget_button.clicked.connect(self._on_forget_clicked)
        self.open_last_button.clicked.connect(self._on_open_last_clicked)

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
        unsaved = self.menu.addMenu("Unnamed studies")
        for draft in left_drafts():
            unsaved.addAction(draft.describe(), partial(self._session.restore, draft))
        unsaved.setEnabled(not unsaved.isEmpty())
        find = self.menu.addAction("Find missing cubes…", self.find_missing)
        find.setEnabled(bool(self._study.missing))
        recipe = self.menu.addAction(self._recipes.action, self.apply_recipe)
        recipe.setEnabled(self._study.model is not None)
        self.menu.addSeparator()
        self.menu.addAction("Save\tCtrl+S", self.save)
        self.menu.addAction("Save as…\tCtrl+Shift+S", self.save_as)

    def _on_read(self, text: str, done: float) -> None:
        self.progress.setFormat(text)
        self.progress.setValue(round(1000 * done))

    def _on_model_changed(self, model: object) -> None:
        if model is not None:  # begun with something else; the menu keeps the offer
            self.offer.setVisible(False)
            self.refresh()

    def _on_without_clicked(self) -> None:
        self._done_without = {one.name for one in self._study.missing.values()}
        self.refresh()

    def _on_restore_clicked(self) -> None:
        self.offer.setVisible(False)
        self._session.restore(self._drafts[0])

    def _on_open_last_clicked(self) -> None:
        if self._last is not None:
            self._session.open(self._last)

    def _on_forget_clicked(self) -> None:
        if ask(self, "Delete the unsaved study", _FORGET, "Delete", "Keep"):
            draft = self._drafts[0]
            if draft.hold():
                draft.discard()
            self.offer_drafts()


def _row(text: QWidget, *buttons: QPushButton) -> QWidget:
    """A line below the first row: what there is to say, and what to do about it."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    layout.addWidget(text, stretch=1)
    for button in buttons:
        layout.addWidget(button, alignment=Qt.AlignmentFlag.AlignTop)
    return row
