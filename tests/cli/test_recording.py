"""A recording that signals end early."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from damon_async.cli.recording import ENDING_SIGNALS, run_recording
from damon_async.engine.recorder import Recording
from damon_async.errors import InvalidError
from damon_async.params.monitoring import Context, Target
from damon_async.records.snapshot import Snapshot
from damon_async.spaces.space import Space
from damon_async.spaces.workload import open_workload


def context(space: Space | None = None) -> Context:
    """Return a context that monitors stairs."""
    return Context(targets=[Target(space=space or open_workload("stairs:size=64M"))])


@pytest.mark.parametrize("signum", ENDING_SIGNALS)
def test_signal_ends_it(signum: signal.Signals) -> None:
    """The first signal ends a recording that would go on for years, and is told."""
    counts = []

    def sink(index: int, snapshot: Snapshot) -> None:
        counts.append(snapshot.nr_regions)
        if len(counts) == 5:
            os.kill(os.getpid(), signum)

    recording = Recording([context()], duration_us=10**15, seed=0, sink=sink, keep=False)

    assert run_recording(recording) is signum
    assert len(counts) >= 5
    assert recording.elapsed_us < 10**15


def test_handlers_come_back() -> None:
    """After a recording, signals do what they did before."""
    before = [signal.getsignal(signum) for signum in ENDING_SIGNALS]

    run_recording(Recording([context()], duration_us=10**6, seed=0))

    assert [signal.getsignal(signum) for signum in ENDING_SIGNALS] == before


def test_signals_are_watched_from_the_beginning() -> None:
    """A signal that comes before the start is not lost: nothing is recorded."""
    recording = Recording([context()], duration_us=10**15, seed=0)

    signum = run_recording(recording, lambda: os.kill(os.getpid(), signal.SIGTERM))

    assert signum is signal.SIGTERM
    assert sum(len(each.snapshots) for each in recording.recorders) <= 1


def test_another_thread_records_too() -> None:
    """Where signals cannot be had, a recording runs without them."""
    recording = Recording([context()], duration_us=10**6, seed=0)
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(run_recording(recording)))

    thread.start()
    thread.join()

    assert results == [None]
    assert len(recording.recorders[0].snapshots) == 10


def test_failure_of_the_sink_comes_out_alone() -> None:
    """A full disk is told as what it is, not as a group of exceptions."""

    def sink(index: int, snapshot: Snapshot) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left on device"):
        run_recording(Recording([context()], duration_us=10**6, seed=0, sink=sink))


def test_failure_of_a_kdamond_comes_out() -> None:
    """What ends a kdamond, a trace that is damaged for example, is told."""

    class Damaged:
        is_pure = True
        lifetime_us = None

        def __getattr__(self, name: str) -> object:
            return getattr(open_workload("stairs:size=64M"), name)

        def accessed(self, *args: object) -> object:
            raise InvalidError("the trace is damaged")

    with pytest.raises(InvalidError, match=r"^the trace is damaged$"):
        run_recording(Recording([Context(targets=[Target(space=Damaged())])], duration_us=10**6))


def test_context_that_cannot_start() -> None:
    """A context that cannot be monitored is refused as the engine refuses it."""
    with pytest.raises(InvalidError, match="a target needs a space to be monitored"):
        run_recording(Recording([Context(targets=[Target()])], duration_us=10**6))
