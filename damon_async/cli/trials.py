"""What a what-if run happens in, worked out and checked before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from .. import units
from ..errors import InvalidError
from ..params.monitoring import Context, Kdamond, Ops
from ..spaces.machine import Machine
from ..spaces.machine_views import PhysicalMemory, ProcessMemory
from ..whatif.runner import ContextsOn, World
from .candidates import Candidate
from .inputs import open_input
from .machine_options import MachineOptions
from .options import ParameterOptions
from .targets import Workload, context_of, with_spaces

PHYSICAL: Final = "the machine's memory"
"""What errors call the memory that paddr monitors."""


class Trials:
    """
    A world of some workloads, and how each candidate monitors it.

    Args:
        specs: What the user calls the workloads: one process each.

        options: How to monitor, unless a document says it.

        machine: What the machine is like.

        seed: Of the workloads and the monitors.

        timeout_us: How long each run is; None for the workloads' lifetime.

    Attributes:
        world: Where runs happen.

    Raises:
        InvalidError: If there is no workload, or one that never ends and no
            timeout.

        InputFileError: If a file cannot be read.
    """

    def __init__(
        self,
        specs: Sequence[str],
        options: ParameterOptions,
        machine: MachineOptions,
        *,
        seed: int,
        timeout_us: int | None,
    ) -> None:
        if not specs:
            raise InvalidError(
                "nothing to try schemes on: name a workload, such as stairs.cfg, a trace, or "
                "zipf:size=1G; see damon-async workloads"
            )
        self._options = options
        self._workloads = [Workload(spec, open_input(spec, seed=seed)) for spec in specs]
        self.world = World(
            machine.processes(self._workloads),
            self._duration_us(timeout_us),
            nodes=machine.nodes(),
            costs=machine.cost_model(),
            is_populated=machine.is_populated(self._workloads),
            seed=seed,
            check_ns=machine.check_cost,
        )

    def contexts_on(self, candidate: Candidate) -> ContextsOn:
        """
        Return what monitors a machine while *candidate* is tried.

        Raises:
            InvalidError: If its document and options both say how to monitor.
        """
        # Bare schemes say nothing about monitoring; options or defaults do.
        if not candidate.kdamonds:
            return partial(self._contexts_of_options, candidate)
        # Silently ignored options would be the worst of all answers.
        if given := self._options.given():
            raise InvalidError(
                f"{candidate.name} holds all parameters; leave out {', '.join(given)}"
            )
        return partial(self._contexts_of_document, candidate.kdamonds)

    def describe(self) -> str:
        """Say in a few words what schemes are tried on."""
        return ", ".join(workload.spec for workload in self._workloads)

    # -- How long ------------------------------------------------------------

    def _duration_us(self, timeout_us: int | None) -> int:
        ends = [workload.space.lifetime_us for workload in self._workloads]
        known = [end for end in ends if end is not None]
        duration_us = timeout_us
        if timeout_us is None and len(known) == len(ends):
            duration_us = max(known)
        if duration_us is None:
            endless = ", ".join(
                each.spec for each, end in zip(self._workloads, ends, strict=True) if end is None
            )
            raise InvalidError(
                f"{endless} never ends: say how long to try, such as --timeout 60 (seconds)"
            )
        # Schemes act at the end of an aggregation; before the first nothing can happen.
        shortest_us = self._options.intervals().aggr_us
        if duration_us < shortest_us:
            raise InvalidError(
                f"{units.format_time_us(duration_us)} are over before the first aggregation of "
                f"{units.format_time_us(shortest_us)} is; try longer or choose a shorter --aggr"
            )
        return duration_us

    # -- What monitors -------------------------------------------------------

    def _contexts_of_options(self, candidate: Candidate, machine: Machine) -> tuple[Context, ...]:
        memory = self._memory(machine, is_physical=self._options.ops == "paddr")
        context = context_of(self._options, memory)
        return (context.model_copy(update={"schemes": candidate.schemes}),)

    def _contexts_of_document(
        self, kdamonds: Sequence[Kdamond], machine: Machine
    ) -> tuple[Context, ...]:
        contexts = [context for kdamond in kdamonds for context in kdamond.contexts]
        return tuple(self._with_memory(context, machine) for context in contexts)

    def _with_memory(self, context: Context, machine: Machine) -> Context:
        memory = self._memory(machine, is_physical=context.ops is Ops.PADDR)
        nr_targets = len(context.targets)
        # A document of many targets is often tried on one workload, for all of them.
        if len(memory) == 1:
            memory *= nr_targets
        if not nr_targets or len(memory) != nr_targets:
            raise InvalidError(
                f"{len(memory)} workloads do not fit {nr_targets} targets of a document: name one "
                "for all, or one each"
            )
        return with_spaces(context, memory)

    def _memory(self, machine: Machine, *, is_physical: bool) -> list[Workload]:
        """Return what can be monitored: all memory of the machine, or each process's."""
        # One space, whatever processes there are: physical memory has no owner.
        if is_physical:
            return [Workload(PHYSICAL, PhysicalMemory(machine))]
        pairs = zip(self._workloads, self.world.processes, strict=True)
        return [Workload(each.spec, ProcessMemory(machine, process.pid)) for each, process in pairs]
