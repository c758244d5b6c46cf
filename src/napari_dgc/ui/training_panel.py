"""What to train, the buttons for it, and how it goes."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_dgc.study import Study
from napari_dgc.study.calibrating.preparing import outdated
from napari_dgc.ui.film_strip import FilmStrip
from napari_dgc.ui.notices import StatusLine, WrappedLabel, ask
from napari_dgc.ui.preparation_wording import SUMMARY
from napari_dgc.ui.section import Section
from napari_dgc.ui.training_account import Account
from napari_dgc.ui.training_plots import TrainingPlots
from napari_dgc.ui.training_session import TrainingSession

_DEVICES = ("auto", "cpu", "cuda", "mps")
_LATER = "They stay until the new clusters are ready; if you press Stop, they stay."

_NOW = "They go at once; the new model is still offered later."


class TrainingPanel(Section):
    """Clusters, steps, device; First map, Train, Stop; progress, loss and score.

    Folds in by itself when a run has ended; how it went stays in its heading.
    """

    def __init__(
        self,
        viewer: Viewer,
        study: Study,
        session: TrainingSession,
        status: StatusLine,
    ) -> None:
        super().__init__("Training")
        self._account = Account()
        self._study = study
        self._session = session
        self._status = status
        self._make_fields()
        self._make_buttons()
        self._make_progress(viewer.theme)
        self._lay_out()
        self._connect()
        self.refresh()

    def start(self, steps: int) -> None:
        """Start a run with the fields' values; 0 steps make the first map."""
        from napari_dgc.clustering.config import Config

        if self._session.runner.running or not self._may_replace(
            "Train anew" if steps else "First map anew", _LATER
        ):
            return
        try:
            config = Config(
                k=self.k.value(), steps=steps, device=self.device.currentText()
            )
        except ValueError as error:
            self._status.report(error)
            return
        self.plots.clear_curves()
        self.plots.setVisible(False)
        self.active.setText("")
        self._account = Account()
        self.summarize("")
        self.fold(False)
        self._status.say(self._announce() if steps else "Making the first map…")
        self._session.train(config)
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done now."""
        running = self._session.runner.running
        ready = bool(self._study.cubes) and not running
        for button in (self.first_button, self.train_button):
            button.setEnabled(ready)
        self.stop_button.setEnabled(running)
        for field in (self.k, self.steps, self.device):
            field.setEnabled(not running)
        self.running.setVisible(running)
        unused = self._session.unused_model is not None
        self.use_button.setVisible(unused and not running)
        unmapped = len(self._session.unmapped)
        self.map_button.setVisible(bool(unmapped) and not running)
        why = SUMMARY[outdated(self._study)]
        if why or self.summary in SUMMARY.values():
            self.summarize(why)
        self.map_button.setText(f"Map {unmapped} new cube{'s' * (unmapped != 1)}")

    def add_film(self, film: FilmStrip) -> None:
        """Show the film of the training below; its button stays beside the heading."""
        self.put_beside(film.fold)
        self.rows.addWidget(film)

    def _announce(self) -> str:
        """Say what training will do on the image, and what Stop will."""
        image = "The image follows; " if self.follow.isChecked() else ""
        if self._study.model is None:
            stop = "Stop keeps the best map so far."
        else:
            stop = "Stop ends it; your present groups stay."
        return f"Training, from a first map of its own. {image}{stop}"

    def _may_replace(self, verb: str, when: str) -> bool:
        """Ask before a new model makes merges void: the verb, and when it does."""
        history = self._study.history
        count = len(history.operations) if history is not None else 0
        if not count:
            return True
        return ask(
            self,
            f"{verb}?",
            "New clusters take the place of the present ones, each in a group of its "
            "own. The groups you have made go with the old clusters: "
            f"{count} step{'s' * (count != 1)} (merges, names, roles, colours). "
            f"{when}\n\n“Cancel”: everything stays as it is.",
            verb,
            "Cancel",
        )

    def _make_fields(self) -> None:
        self.k = QSpinBox()
        self.k.setRange(2, 128)
        self.k.setValue(16)
        self.k.setToolTip(
            "How many clusters to look for (2 to 128): 16 serve most scenes, 32 where "
            "lesions may be smaller than 100 pixels. Rather too many than too few: you "
            "merge them afterwards."
        )
        self.steps = QSpinBox()
        self.steps.setRange(1, 100_000)
        self.steps.setSingleStep(50)
        self.steps.setValue(300)
        self.steps.setToolTip(
            "How many training steps at most; 300 serve most scenes. Training ends by "
            "itself where it finds nothing better any more"
        )
        self.device = QComboBox()
        self.device.addItems(_DEVICES)
        self.device.setToolTip(
            "Where to compute: auto takes the graphics card if there is one"
        )

    def _make_buttons(self) -> None:
        self.first_button = QPushButton("First map")
        self.first_button.setToolTip(
            "A map within seconds, without training; good enough to start merging. "
            "Train makes a map of its own and does not need this one"
        )
        self.train_button = QPushButton("Train")
        self.train_button.setToolTip(
            "Learn better clusters from all cubes; the map follows meanwhile. It "
            "makes its own first map, so none is needed before. The best map is kept"
        )
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip(
            "End the run: the clusters in use stay; if there are none, the best map so "
            "far is kept"
        )
        self.use_button = QPushButton("Use new model")
        self.use_button.setToolTip(
            "Map all cubes with the best model of the last run, in place of the "
            "clusters in use"
        )
        self.map_button = QPushButton("Map new cubes")
        self.map_button.setToolTip(
            "Map the cubes added since, with the clusters in use; your groups stay"
        )

    def _make_progress(self, theme: str) -> None:
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setToolTip("How much of the present stage is done")
        self.stage = WrappedLabel()
        self.stage.setToolTip("What is being done, and the time left")
        self.active = QLabel()
        self.active.setToolTip("Clusters that hold more than 0.1 % of the pixels seen")
        self.follow = QCheckBox("Live preview")
        self.follow.setChecked(True)
        self.follow.setToolTip(
            "Show each snapshot on the image while training goes on; untick to keep "
            "working with the present groups"
        )
        self.plots = TrainingPlots(theme)
        self.plots.setVisible(False)

    def _lay_out(self) -> None:
        fields = QGridLayout()
        fields.setContentsMargins(0, 0, 0, 0)
        rows = (
            ("Clusters", self.k),
            ("Steps", self.steps),
            ("Device", self.device),
        )
        for column, (name, field) in enumerate(rows):
            label = QLabel(name)
            label.setBuddy(field)
            label.setToolTip(field.toolTip())
            fields.addWidget(label, 0, column)
            fields.addWidget(field, 1, column)
            fields.setColumnStretch(column, 1)
        fields.setVerticalSpacing(0)
        buttons = QHBoxLayout()
        buttons.addWidget(self.first_button, stretch=1)
        buttons.addWidget(self.train_button, stretch=1)
        buttons.addWidget(self.follow)
        # What a run needs stays in sight, folded in or not.
        self.running = QWidget()
        lines = QGridLayout(self.running)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setVerticalSpacing(2)
        lines.addWidget(self.progress, 0, 0, 1, 2)
        lines.addWidget(self.stop_button, 0, 2)
        lines.addWidget(self.stage, 1, 0)
        lines.addWidget(self.active, 1, 1, 1, 2)
        lines.setColumnStretch(0, 1)
        self.body.addLayout(fields)
        self.body.addLayout(buttons)
        self.body.addWidget(self.plots)
        for widget in (self.use_button, self.map_button, self.running):
            self.rows.addWidget(widget)

    def _connect(self) -> None:
        self.first_button.clicked.connect(self._on_first_clicked)
        self.train_button.clicked.connect(self._on_train_clicked)
        self.stop_button.clicked.connect(self._on_stop_clicked)
        self.use_button.clicked.connect(self._on_use_clicked)
        self.map_button.clicked.connect(self._on_map_clicked)
        self.follow.toggled.connect(self._on_follow_toggled)
        self._session.progressed.connect(self._on_run_progressed)
        self._session.stepped.connect(self._on_step_made)
        self._session.failed.connect(self._on_run_failed)
        self._session.ended.connect(self._on_run_ended)
        self._session.runner.running_changed.connect(self.refresh)
        self._study.model_changed.connect(self._on_model_changed)

    def _on_model_changed(self, model: object) -> None:
        if not self._session.runner.running:  # a new study, or one that was opened
            self.summarize("" if model is None else self.summary)
            self.fold(model is not None)

    def _on_first_clicked(self) -> None:
        self.start(0)

    def _on_train_clicked(self) -> None:
        self.start(self.steps.value())

    def _on_stop_clicked(self) -> None:
        self.stop_button.setEnabled(False)
        self._on_run_progressed("Stopping", -1.0)
        self._session.stop()

    def _on_use_clicked(self) -> None:
        if self._may_replace("Use new model", _NOW):
            self._session.use_unused()
            self.refresh()

    def _on_map_clicked(self) -> None:
        self._session.map_unmapped()
        self.refresh()

    def _on_follow_toggled(self, on: bool) -> None:
        self._session.set_follow(on)

    def _on_run_progressed(self, text: str, done: float) -> None:
        # A range of nothing to nothing makes Qt's bar move to and fro.
        self.progress.setRange(0, 0 if done < 0 else 1000)
        self.progress.setValue(round(1000 * max(done, 0)))
        self.stage.setText(text)

    def _on_step_made(self, step) -> None:
        if step.active:
            self.active.setText(f"{step.active} of {self.k.value()} active")
        if self.plots.add(step):
            self.plots.setVisible(True)
        self._account = self._account.after(step)

    def _on_run_failed(self, error: Exception) -> None:
        self._account = Account()  # leave it unfolded: it will be tried again

    def _on_run_ended(self) -> None:
        if self._account != Account():
            self.summarize(self._account.words)
            self.fold()
            self._account = Account()  # what ends next is no training
        self.refresh()
