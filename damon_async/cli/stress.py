"""`damon-async stress`: scenarios under many schedules, and faults, until something is found."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import chain, count
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..stress.stress import Finding, Portion, portions, repeated, run_portion
from .quantities import Count

FOUND: Final = 1
"""The exit code if anything was found."""


def stress(
    *,
    seed: Count = 0,
    schedules: Count = 1000,
    faults: Count = 100,
    minutes: Annotated[float | None, Parameter(metavar="NUMBER")] = None,
    jobs: Annotated[Count, Parameter(metavar="NUMBER")] = 0,
    repeat: Annotated[str | None, Parameter(metavar="TEXT")] = None,
) -> int:
    """
    Try to break the engine: run scenarios under many schedules, and put faults into it.

    The exit code is 1 if anything was found.

    Args:
        seed: Where randomness comes from: same seed, same schedules and faults.

        schedules: How many for each scenario.

        faults: How many of each kind.

        minutes: Go on for so long, with other schedules and faults each time.

        jobs: How many processes; by default one for each processor.

        repeat: Only run again what a finding told to repeat, and print each step.
    """
    console = Console()
    if repeat is not None:
        console.print(repeated(repeat), markup=False, highlight=False, soft_wrap=True)
        return 0
    began_s = time.monotonic()
    tally = _Tally()
    # With other seeds each time round, until time is up.
    seeds = count(seed) if minutes is not None else (seed,)
    end_s = began_s + 60 * minutes if minutes is not None else None
    plan = chain.from_iterable(portions(each, schedules, faults) for each in seeds)
    total = (
        None if minutes is not None else sum(each.nr for each in portions(seed, schedules, faults))
    )
    with _bar(total) as bar:
        task = bar.add_task("running", total=total, findings=0)
        for portion, finding in _results(plan, jobs or os.cpu_count() or 1, end_s):
            tally.add(portion, finding)
            bar.update(task, advance=portion.nr, findings=len(tally.findings))
    tally.show(console, time.monotonic() - began_s)
    return FOUND if tally.findings else 0


class _Tally:
    """What was run, and what was found."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}
        self._nr: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}

    def add(self, portion: Portion, finding: Finding | None) -> None:
        """Count a portion."""
        self._nr[portion.is_fault][portion.name] += portion.nr
        # The first of each is enough: the next ones are most often the same.
        if finding is not None:
            self.findings.setdefault(portion.name, finding)

    def show(self, console: Console, seconds: float) -> None:
        """Print a table, what was found, and how to see it again."""
        for is_fault, heads in ((False, ("scenario", "schedules")), (True, ("fault", "times"))):
            # Two tables, because schedules and faults do not compare.
            table = Table(*heads, "findings")
            for name, nr in sorted(self._nr[is_fault].items()):
                table.add_row(name, f"{nr:,}", str(int(name in self.findings)))
            if table.row_count:
                console.print(table)
        nr_schedules, nr_faults = (self._nr[each].total() for each in (False, True))
        console.print(
            f"{len(self._nr[False])} scenarios, {nr_schedules:,} schedules, "
            f"{nr_faults:,} faults: {len(self.findings)} findings in {seconds:.0f} s",
            highlight=False,
        )
        for finding in self.findings.values():
            console.print(f"\n{finding.text}", markup=False, highlight=False, soft_wrap=True)
            line = f'repeat it: damon-async stress --repeat "{finding.repeat}"'
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _bar(total: int | None) -> Progress:
    counts = [] if total is None else [MofNCompleteColumn()]
    # On stderr, where it is in nobody's way.
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *counts,
        TimeElapsedColumn(),
        TextColumn("{task.fields[findings]} findings"),
        console=Console(stderr=True),
        transient=True,
    )


def _results(
    plan: Iterable[Portion], jobs: int, end_s: float | None
) -> Iterator[tuple[Portion, Finding | None]]:
    """Run portions in processes of their own, as many at a time as *jobs*."""
    # Nothing is inherited: threads and loops of this process are none of theirs.
    context = multiprocessing.get_context("spawn")
    running: dict[Future[Finding | None], Portion] = {}
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        for portion in plan:
            if end_s is not None and time.monotonic() >= end_s:
                break
            running[pool.submit(run_portion, portion)] = portion
            # Not all at once: there may be no end of them.
            if len(running) >= 2 * jobs:
                yield from _done(running)
        while running:
            yield from _done(running)


def _done(
    running: dict[Future[Finding | None], Portion],
) -> Iterator[tuple[Portion, Finding | None]]:
    # In the order of their ends: a bar that waits for the slowest would lie.
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        yield running.pop(future), future.result()
