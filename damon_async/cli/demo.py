"""`damon-async demo`: what this is about, in one command."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from cyclopts import Parameter

from .. import units
from ..arrays import IntArray
from ..engine.recorder import Recording
from ..records.record import Record, records_of
from ..records.snapshot import Snapshot
from ..records.writer import RecordForm
from ..reports.accuracy import Accuracy
from ..reports.colors import RESET, ColorSet, painted
from ..reports.comparison import Comparison, ComparisonOptions, compare
from ..reports.heatmap import BasedRange
from ..spaces.layout import SMALL_PAGE
from ..spaces.space import Mapping
from ..spaces.traces import demo_trace_path
from .options import ParameterOptions
from .outputs import STDOUT, RecordOutput
from .plan import Plan, make_plan
from .quantities import OutPath
from .recording import run_recording
from .report_common import DEFAULT_INPUT, colors_if_any, emit
from .text import PROGRAM, own_command, rounded_time, speed

MIB: Final = 1024**2

COLUMNS: Final = 38
"""Cells of a heatmap across; two fit side by side into 80 columns."""

# Lower than that of the report: of a program's pages few are touched all the time.
HOT_RATE: Final = 0.2
"""Share of its sampling intervals in which hot memory was touched."""

PERCENTILES: Final = (0, 25, 50, 75, 100)
"""Which percentiles of the working set are told."""

INTRODUCTION: Final = """\
DAMON finds out where memory is hot by looking at very little of it: at one page
of each region, once in a while. Here it watches memory of which the truth is
known, so you can see how close it comes. Time is virtual.
"""

LEGEND: Final = """\
  9: touched all the time; each digit less: half as often; a dot: not at all"""


@dataclass(frozen=True)
class Scene:
    """One thing to see."""

    title: str
    """What is monitored."""

    text: str
    """What to look for."""

    spec: str
    """The workload."""

    options: ParameterOptions
    """How it is monitored."""

    duration_us: int
    """How long, in microseconds."""

    rows: int
    """Cells of a heatmap from top to bottom."""


@dataclass(frozen=True)
class Played:
    """What came out of a scene."""

    comparison: Comparison
    """Estimate and truth."""

    shown: BasedRange
    """Addresses of the heatmaps."""

    wall_s: float
    """How long monitoring took."""


def scenes() -> tuple[Scene, Scene]:
    """Return what the demo shows: a real program, and a moving pattern."""
    return (
        Scene(
            "1. A real program: SQLite",
            "It fills a table and reads a part of it over and over; then it deletes from\n"
            "the table, packs it, and reads on. Below is its heap; time goes down.",
            str(demo_trace_path()),
            # With damo's ten regions the heap of a small program is a blur.
            ParameterOptions(minr=100),
            20_000_000,
            20,
        ),
        Scene(
            "2. A pattern that moves: zigzag",
            "An eighth of 256 MiB is hot. Every two seconds it is the next eighth, up to\n"
            "the end and back again.",
            "zigzag:size=256M,steps=8,step=2s",
            # And with ten they are enough for a pattern that is simple.
            ParameterOptions(),
            28_000_000,
            14,
        ),
    )


def demo(*, out: Annotated[OutPath, Parameter(alias="-o")] = DEFAULT_INPUT) -> None:
    """
    Watch a real program and a moving pattern, the truth beside the estimate.

    Args:
        out: The record of the real program, for reports of your own; "-" leaves
            none. An older file of that name becomes FILE.old.
    """
    program, pattern = scenes()
    emit([INTRODUCTION])
    # Printed scene by scene, for there is something to read while the next one runs.
    played = _play(program, out)
    emit(_tell(program, played))
    emit(_tell(pattern, _play(pattern, None)))
    if out != STDOUT:
        emit(_next_steps(out, played.shown))


def _play(scene: Scene, out: str | None) -> Played:
    """Monitor the workload of a scene, and write the record to *out* if that is a file."""
    # The same seed for everybody: the manual shows what the reader will see.
    plan = make_plan([scene.spec], None, scene.options, seed=0)
    with _output(plan, out) as output:
        recording = Recording(plan.contexts, duration_us=scene.duration_us, seed=0)
        began_s = time.perf_counter()
        signum = run_recording(recording)
        wall_s = time.perf_counter() - began_s
        # Half a demo shows nothing; nobody wants its record.
        if signum is not None:
            raise SystemExit(128 + signum)
        snapshots = recording.recorders[0].snapshots
        if output is not None:
            for snapshot in snapshots:
                output.add(0, snapshot)
            output.finish()
    return _compared(scene, plan, snapshots, wall_s)


def _output(plan: Plan, out: str | None) -> AbstractContextManager[RecordOutput | None]:
    # Data on stdout would stand in the middle of the pictures.
    if out is None or out == STDOUT:
        return nullcontext()
    return RecordOutput(out, RecordForm.JSON_COMPRESSED, 0o600, plan.kdamonds, plan.sources)


def _compared(scene: Scene, plan: Plan, snapshots: Iterable[Snapshot], wall_s: float) -> Played:
    (record,) = records_of(snapshots, intervals=plan.contexts[0].intervals)
    space = plan.workloads[0].space
    # The heap of a program, the memory of a pattern.
    largest = max(space.mappings(0), key=_size)
    shown = BasedRange(largest.start, largest.end)
    options = ComparisonOptions(rate=HOT_RATE, resol=(scene.rows, COLUMNS), address_range=shown)
    return Played(compare(record, space, options), shown, wall_s)


def _size(mapping: Mapping) -> int:
    return mapping.end - mapping.start


def _tell(scene: Scene, played: Played) -> Iterator[str]:
    """Print a scene: heatmaps, working set, accuracy, speed."""
    comparison = played.comparison
    yield scene.title
    yield "=" * len(scene.title)
    yield f"{scene.text}\n"
    yield from _heatmaps(comparison)
    yield ""
    yield from _working_set(comparison.figures)
    yield ""
    yield from _accuracy(comparison.figures)
    yield _effort(comparison.record)
    elapsed_us = comparison.record.end_ns // 1000
    yield (
        f"  {rounded_time(elapsed_us)} of virtual time took {played.wall_s:.2f} s: "
        f"{speed(elapsed_us, played.wall_s)} times faster than real time.\n"
    )


def _heatmaps(comparison: Comparison) -> Iterator[str]:
    colors = colors_if_any(ColorSet.GRAY)
    yield f"{'what DAMON says':<{COLUMNS}} | what really happened"
    both = zip(comparison.estimate.heat.tolist(), comparison.truth.heat.tolist(), strict=True)
    for estimate, truth in both:
        yield f"{_row(estimate, colors)} | {_row(truth, colors)}"
    # In figures that mean something to people, unlike the addresses.
    axes = comparison.estimate.axes
    size = units.format_size(axes.end - axes.start)
    yield f"  across: {size} of memory; down: {rounded_time(axes.end_ns // 1000)}"
    yield LEGEND


def _row(heats: Iterable[float], colors: ColorSet | None) -> str:
    cells = (_cell(heat, colors) for heat in heats)
    return "".join(cells) + (RESET if colors else "")


def _cell(heat: float, colors: ColorSet | None) -> str:
    """
    Print how much of the time a cell was touched.

    Cells hold many pages of which few are hot, so a digit stands for twice as
    much as the one below; evenly spaced, most would be zeros.
    """
    # A dot, and not a blank, keeps the frame visible.
    if math.isnan(heat) or heat <= 0:
        return painted(0, ".", colors) if colors else "."
    level = max(0, 9 + round(math.log2(heat / 100)))
    return painted(level, str(level), colors) if colors else str(level)


def _working_set(figures: Accuracy) -> Iterator[str]:
    # Truth below estimate, figure by figure.
    heads = ("smallest", "25 %", "median", "75 %", "largest")
    yield f"  {'memory in use':<13}" + "".join(f"{head:>13}" for head in heads)
    rows = (("DAMON says", figures.estimated_used), ("truth", figures.true_used))
    yield from (f"  {name:<13}{_sizes(sizes)}" for name, sizes in rows)


def _sizes(sizes: IntArray) -> str:
    # Sizes that there were, not something in between.
    chosen = np.percentile(sizes, PERCENTILES, method="inverted_cdf")
    return "".join(f"{units.format_size(int(size)):>13}" for size in chosen)


def _accuracy(figures: Accuracy) -> Iterator[str]:
    # The two words are explained where they stand, for they are not DAMON's.
    hot = units.format_percent(HOT_RATE * 100)
    yield f"  Memory is hot if it is touched in at least {hot} of the samples."
    yield f"  {figures.overall_precision:.0%} of what DAMON calls hot is hot (precision);"
    yield f"  {figures.overall_recall:.0%} of what is hot DAMON calls so (recall);"
    yield f"  the median of the memory in use is off by {figures.median_used_error:+.1%}."


def _effort(record: Record) -> str:
    """Say how little was looked at."""
    snapshots = record.snapshots
    # One page per region in each sampling interval is all that is ever looked at.
    nr_regions = round(sum(each.nr_regions for each in snapshots) / len(snapshots))
    nr_pages = snapshots[-1].total_bytes // SMALL_PAGE
    return f"  For that it looked at {nr_regions} of {nr_pages:,} pages at a time."


def _next_steps(out: str, shown: BasedRange) -> Iterator[str]:
    # As short as can be typed.
    option = "" if out == DEFAULT_INPUT else f" -i {out}"
    heap = f"{shown.start // MIB}M {-(-shown.end // MIB)}M"
    me = own_command(sys.argv[0], is_on_path=shutil.which(PROGRAM) is not None)
    yield f"{out} holds the record of SQLite. Look closer:"
    yield f"  {me} report access{option} --style hot | less"
    yield f"  {me} report accuracy{option} --address_range {heap} --output accuracy.png"
    yield "or, with real damo if you have it:"
    yield f"  damo report heatmap -i {out} --address_range {heap}"
    yield "and watch something of your own:"
    yield f"  {me} workloads"
    yield f"  {me} record --workload zipf:size=4G --timeout 60"
