"""`damon-async record`: monitor a workload, and keep what DAMON would have seen of it."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import Annotated, Final

import structlog
from cyclopts import Group, Parameter
from rich.console import Console

from .. import units
from ..engine.clock import RealClock
from ..engine.recorder import IndexedSink, Recording
from ..engine.virtual_clock import VirtualClock
from ..errors import InvalidError
from ..records.snapshot import Snapshot
from ..records.writer import RecordForm
from .options import NO_PARAMETERS, ParameterOptions
from .outputs import RecordOutput, display_path
from .plan import Plan, looks_like_document, make_plan
from .progress import RunProgress
from .quantities import Count, Form, Mode, OutPath, Seconds
from .recording import run_recording
from .text import rounded_time, say, speed

WHAT: Final = Group("What to monitor", sort_key=1)
HOW_LONG: Final = Group("How long", sort_key=2)
OUTPUT: Final = Group("Output", sort_key=3)


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Where the record goes."""

    out: Annotated[OutPath, Parameter(alias="-o")] = "damon.data"
    """The record; "-" is stdout. An older file of that name becomes FILE.old.
    Beside it lie FILE.kdamonds, the parameters, and FILE.workload, with which
    `report accuracy` finds the truth."""

    output_type: Form = RecordForm.JSON_COMPRESSED
    """Its form. Real damo reads json_compressed everywhere, json and perf_script
    where file(1) calls them so."""

    output_permission: Mode = 0o600
    """Permissions of the files, octal."""


@Parameter(name="*", group=HOW_LONG)
@dataclass(frozen=True, kw_only=True)
class TimeOptions:
    """How long, and on which clock."""

    timeout: Seconds | None = None
    """How long to record, in seconds of the clock, or as a text such as "5 m".
    Default: as long as the workload lives."""

    real_time: bool = False
    """Follow the machine's clock. Otherwise time is virtual, and an hour takes
    seconds."""


def record(
    target: str | None = None,
    /,
    *,
    workload: Annotated[
        tuple[str, ...], Parameter(group=WHAT, metavar="SPEC", show_default=False)
    ] = (),
    kdamonds: Annotated[str | None, Parameter(group=WHAT, metavar="FILE|JSON")] = None,
    seed: Annotated[Count, Parameter(group=WHAT)] = 0,
    times: TimeOptions = TimeOptions(),
    output: OutputOptions = OutputOptions(),
    parameters: ParameterOptions = NO_PARAMETERS,
) -> int:
    """
    Monitor a workload, and keep what DAMON would have seen of it.

    Ctrl-C and SIGTERM end a recording early; what there is up to then is kept,
    and that counts as done.

    Args:
        target: The workload, or a parameter document (.json, .yaml or JSON text).

        workload: What is monitored: a masim configuration, a trace, a DAMON
            record, or a generator such as zipf:size=1G. See `damon-async
            workloads`. Given several times, it is one target each.

        kdamonds: A parameter document, instead of the monitoring parameters.

        seed: Where all randomness comes from, in the workload and in the
            monitor: same seed, same record.

        times: How long, and on which clock.

        output: Where the record goes.

        parameters: How to monitor.
    """
    # damo's deducible target may be either. Source: spec damo 1.
    if target is not None and kdamonds is None and looks_like_document(target):
        target, kdamonds = None, target
    specs = (*(() if target is None else (target,)), *workload)
    plan = make_plan(specs, kdamonds, parameters, seed)
    duration_us = plan.duration_us(times.timeout, is_virtual=not times.real_time)
    with RecordOutput(
        output.out, output.output_type, output.output_permission, plan.kdamonds, plan.sources
    ) as out:
        return _run(plan, out, seed, duration_us, is_virtual=not times.real_time)


def _run(
    plan: Plan, out: RecordOutput, seed: int, duration_us: int | None, *, is_virtual: bool
) -> int:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    progress = RunProgress(duration_us, console, "recording")
    recording = Recording(
        plan.contexts,
        # In real time a workload may outlive the patience of its user.
        duration_us=duration_us,
        seed=seed,
        clock=VirtualClock() if is_virtual else RealClock(),
        sink=_logged(out.add),
        # An hour of snapshots need not fit into memory.
        keep=False,
        progress=progress.update,
    )
    # Opening the workload does not count: it is read once, however long one looks.
    began_s = time.perf_counter()
    with progress:
        signum = run_recording(
            recording, lambda: say(f"recording {plan.describe()}{_until(duration_us)}")
        )
    wall_s = time.perf_counter() - began_s
    # A record of nothing would only fail later, in some report.
    if not out.nr_snapshots:
        return _nothing_recorded(plan, signum)
    out.finish()
    say(f"{_summary(out.nr_snapshots, recording.elapsed_us, wall_s)}: {display_path(out.path)}")
    return 0


def _logged(sink: IndexedSink) -> IndexedSink:
    """Tell of each snapshot in the log."""
    # Bound once, because that is what costs; a level that is off costs nothing.
    log = structlog.get_logger().bind()

    def take(index: int, snapshot: Snapshot) -> None:
        log.debug("snapshot", kdamond=index, nr_regions=snapshot.nr_regions)
        sink(index, snapshot)

    return take


def _summary(nr_snapshots: int, elapsed_us: int, wall_s: float) -> str:
    return (
        f"{units.format_number(nr_snapshots)} snapshots of {rounded_time(elapsed_us)} "
        f"in {wall_s:.2f} s, {speed(elapsed_us, wall_s)} times real time"
    )


def _until(duration_us: int | None) -> str:
    return "; until Ctrl-C" if duration_us is None else f"; {rounded_time(duration_us)}"


def _nothing_recorded(plan: Plan, signum: signal.Signals | None) -> int:
    """Say why there is no record; a recording that was cut short is no mistake."""
    aggr_us = min(context.intervals.aggr_us for context in plan.contexts)
    why = f"no aggregation of {units.format_time_us(aggr_us)} came to its end"
    if signum is None:
        raise InvalidError(f"nothing was recorded: {why}; is anything mapped?")
    # Shells and scripts know this code; a recording that has something ends with 0,
    # because with Ctrl-C is how recordings end.
    say(f"interrupted, nothing was recorded: {why}")
    return 128 + signum
