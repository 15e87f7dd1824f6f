"""A static module over workloads, in virtual time, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from cyclopts import Group, Parameter
from rich.console import Console

from .. import units
from ..control.module_behavior import STAT, TUNABLE
from ..errors import InvalidError
from ..modules.parameters import ModuleParameters
from ..modules.stat import UPDATE_US, Estimates, Stat
from ..params.monitoring import Context
from ..records.snapshot import Snapshot
from ..reports.module_plot import FreeMemory, plot_free_memory
from ..reports.plots import is_picture
from ..schemes.stats import SchemeStats
from ..spaces.machine import Machine
from ..spaces.machine_views import PhysicalMemory
from ..whatif.outcome import Outcome
from ..whatif.runner import Run, World
from .machine_options import MachineOptions
from .options import NO_PARAMETERS
from .progress import RunProgress
from .report_common import emit
from .trials import Trials

OUTPUT: Final = Group("Output", sort_key=6)

SHOWN: Final = (0, 1, 10, 25, 50, 75, 90, 99, 100)
"""Percentiles of idle times that are printed."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class RunOutput:
    """Where results of a run go, besides stdout."""

    output: Annotated[str | None, Parameter(metavar="FILE")] = None
    """A picture (.png, .svg, .pdf or .jpg): free memory over time, with the module
    and without, and its watermarks."""


class ModuleRun:
    """
    One module on one machine.

    Args:
        module: Which, by the name of its directory.

        workloads: What lives on the machine.

        duration_us: How long, in microseconds; None for the workloads' lifetime.

        seed: Where all randomness comes from.

        machine: What the machine is like.

        values: Parameters by the kernel's names.

    Raises:
        InvalidError: If there is no workload, or a parameter makes no sense.
    """

    def __init__(
        self,
        module: str,
        workloads: Sequence[str],
        duration_us: int | None,
        seed: int,
        machine: MachineOptions,
        values: Mapping[str, str],
    ) -> None:
        trials = Trials(workloads, NO_PARAMETERS, machine, seed=seed, timeout_us=duration_us)
        self._world: World = trials.world
        self._preset: Stat | ModuleParameters = Stat()
        if module != STAT:
            names = TUNABLE[module].kernel_names()
            unknown = values.keys() - names
            if unknown:
                raise InvalidError(f"{module} has no parameter {', '.join(sorted(unknown))}")
            # As texts: the model reads them as the fields want them.
            given: dict[str, Any] = {names[name]: values[name] for name in values}
            self._preset = TUNABLE[module](**given)
        self._estimates = Estimates()
        self._updated_us = 0

    def play(self, output: RunOutput) -> None:
        """Run it, and print what it came to."""
        if output.output is not None and not is_picture(output.output):
            raise InvalidError(f"--output {output.output}: a picture ends in .png or .svg")
        alone = None if output.output is None else self._play("no module")
        run = self._play("with the module")
        if isinstance(self._preset, Stat):
            emit(self._estimate_lines())
            return
        emit(self._lines(run))
        if output.output is not None and alone is not None:
            marks = self._preset.watermarks
            free = FreeMemory(self._world.machine().capacity, marks)
            plot_free_memory(free, [alone, run], output.output)

    def _play(self, name: str) -> Outcome:
        is_module = name != "no module"
        progress = RunProgress(
            self._world.duration_us, Console(stderr=True, highlight=False, soft_wrap=True), name
        )
        with progress:
            run = Run(self._world, name, self._contexts_on if is_module else lambda _: ())
            return run.play(sink=self._see, tell=progress.update)

    def _contexts_on(self, machine: Machine) -> tuple[Context, ...]:
        return (self._preset.context(PhysicalMemory(machine)),)

    def _see(self, index: int, snapshot: Snapshot) -> None:
        """Make estimates as often as DAMON_STAT does."""
        del index
        now_us = snapshot.end_ns // 1000
        if isinstance(self._preset, Stat) and now_us - self._updated_us > UPDATE_US:
            self._updated_us = now_us
            self._estimates = Estimates.of_regions(
                snapshot.sizes, snapshot.nr_accesses, snapshot.age, snapshot.aggr_us
            )

    def _estimate_lines(self) -> list[str]:
        """Say how idle the memory is."""
        estimates = self._estimates
        if not self._updated_us:
            raise InvalidError("DAMON_STAT says nothing in its first five seconds; run longer")
        idle = estimates.memory_idle_ms_percentiles
        bandwidth = units.format_size(estimates.estimated_memory_bandwidth)
        lines = [
            f"estimated_memory_bandwidth: {bandwidth} per second",
            f"aggr_interval_us: {units.format_time_us(estimates.aggr_interval_us)}",
            "memory_idle_ms_percentiles:",
        ]
        for p in SHOWN:
            state = "in use for" if idle[p] < 0 else "idle for"
            lines.append(f"  {p:>3}  {state} {units.format_time_us(abs(idle[p]) * 1000)}")
        return lines

    def _lines(self, outcome: Outcome) -> list[str]:
        """Say what each scheme did, and how full its quotas were."""
        lines = [
            f"free memory at the end: {self._free_permil(outcome)} permil",
            f"refaults: {outcome.nr_refaults}",
        ]
        for each in outcome.schemes:
            lines += [f"{each.scheme.name}:", *_stats(each.stats)]
            if len(each.quota):
                most, spent = int(each.quota.charged_bytes.max()), int(each.quota.spent_ns.max())
                lines.append(f"  most in a window: {units.format_size(most)}")
                lines.append(f"  longest work in a window: {units.format_time_ns(spent)}")
        return lines

    def _free_permil(self, outcome: Outcome) -> int:
        capacity = self._world.machine().capacity
        return max(0, capacity - outcome.final_resident_bytes) * 1000 // capacity


def _stats(stats: SchemeStats) -> list[str]:
    return [
        f"  tried: {stats.nr_tried} times, {units.format_size(stats.sz_tried)}",
        f"  applied: {stats.nr_applied} times, {units.format_size(stats.sz_applied)}",
        f"  quota exceeded: {stats.qt_exceeds} times",
    ]
