"""The worker itself: closing, throttling, errors."""

from __future__ import annotations

import gc
import threading
import time
from functools import partial

import pytest
from acting import settle, wait_until
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QApplication, QWidget

from napari_dgc.ui.endings import when_destroyed
from napari_dgc.ui.worker import Job, Runner, WorkError


class Run:
    """A runner with everything it says written down."""

    def __init__(self) -> None:
        self.runner = Runner()
        self.pieces: list = []
        self.ends: list = []
        self.runner.yielded.connect(self.pieces.append)
        self.runner.failed.connect(lambda e: self.ends.append(e))
        self.runner.stopped.connect(lambda: self.ends.append("stopped"))
        self.runner.succeeded.connect(lambda: self.ends.append("succeeded"))

    def go(self, job: Job, seconds: float = 10) -> None:
        self.runner.start(job)
        wait_until(lambda: not self.runner.running, seconds)
        settle()


@pytest.fixture
def run(qapp):
    return Run()


def test_a_runtime_error_is_reported_with_its_cause(run):
    def fail():
        yield 1
        raise RuntimeError("shapes do not match")

    run.go(Job("failing", fail))
    (error,) = run.ends
    assert isinstance(error, WorkError)
    assert isinstance(error.__cause__, RuntimeError)
    assert str(error) == "shapes do not match"
    assert run.pieces == [1]


def test_an_error_before_the_first_piece_is_reported(run):
    def fail():
        raise ImportError("no torch here")

    run.go(Job("failing", fail))
    assert [str(e) for e in run.ends] == ["no torch here"]


def test_stop_closes_the_generator_in_its_own_thread(run):
    closed = []

    def endless():
        try:
            while True:
                time.sleep(0.005)
                yield 0
        finally:
            closed.append(threading.current_thread())

    run.runner.start(Job("endless", endless))
    wait_until(lambda: run.pieces, 5)
    run.runner.stop()
    wait_until(lambda: not run.runner.running, 1)
    assert run.ends == ["stopped"]
    assert closed
    assert closed[0] is not threading.main_thread()


def test_a_discarded_runner_stops_its_job(qapp):
    closed = []

    def endless():
        try:
            while True:
                time.sleep(0.005)
                yield 0
        finally:
            closed.append(True)

    parent = QWidget()
    Runner(parent).start(Job("endless", endless))
    settle()
    parent.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    wait_until(lambda: closed, 2)


def test_what_need_not_arrive_is_thinned_out_and_the_last_one_comes(run):
    def fast():
        for i in range(2000):
            time.sleep(0.0002)
            yield i

    began = time.monotonic()
    run.go(Job("fast", fast, keep=lambda i: i == 777))
    tenths = (time.monotonic() - began) * 10
    assert 777 in run.pieces
    assert run.pieces[-1] == 1999
    assert run.pieces == sorted(run.pieces)
    assert len(run.pieces) <= tenths + 3


def test_two_jobs_at_once_are_refused(run):
    def slow():
        time.sleep(0.2)
        yield 0

    run.runner.start(Job("slow", slow))
    with pytest.raises(ValueError, match="slow"):
        run.runner.start(Job("other", slow))
    wait_until(lambda: not run.runner.running, 5)


def test_a_call_at_the_end_outlives_garbage_collection(qapp):
    called, parent = [], QObject()

    def tie() -> None:
        dying = QObject(parent)
        dying.holder = [dying]  # in a cycle with what the call holds
        when_destroyed(dying, partial(_note, called, dying.holder))

    tie()
    gc.collect()
    assert not called
    parent.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert called == ["gone"]


def _note(called: list[str], holder: list) -> None:
    called.append("gone")


def test_a_job_whose_last_piece_comes_too_late_was_stopped(run):
    """Stop while the piece is on its way, the worker at its end already."""
    done = threading.Event()

    def job():
        yield 1
        done.set()

    run.runner.start(Job("ending", job, lambda piece: True))
    assert done.wait(5)
    time.sleep(0.1)  # the screen's thread hears of nothing meanwhile
    run.runner.stop()
    wait_until(lambda: not run.runner.running, 5)
    assert run.pieces == []
    assert run.ends == ["stopped"]
