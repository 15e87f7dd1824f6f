"""What the machine is like on which schemes are tried, as one group of options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from cyclopts import Group, Parameter

from .. import units
from ..errors import InvalidError
from ..spaces.costs import CostModel, Node
from ..spaces.frames import Process
from ..spaces.options import build
from ..spaces.trace_space import TraceSpace
from ..whatif.runner import CHECK_NS
from .quantities import Bytes, one
from .targets import Workload

GROUP: Final = Group("Machine", sort_key=4)

TimeNs = Annotated[int, Parameter(converter=one(units.parse_time_ns), metavar="TIME")]
"""Nanoseconds, from a text such as ``500ns``."""


@Parameter(name="*", group=GROUP)
@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """The machine that the workloads run on: one process each, in cgroup /0, /1, ..."""

    memory: Bytes | None = None
    """How much memory it has; if there is not enough, what was not used lately is
    paged out. Default: a quarter more than the workloads map."""

    node: Annotated[
        tuple[str, ...], Parameter(metavar="capacity=SIZE,...", show_default=False)
    ] = ()
    """Instead of --memory, a memory node, such as capacity=4G,latency_ns=300 (per
    access) or also bandwidth=10G (bytes per second). Given several times, they are
    nodes 0, 1, ...; processes begin on node 0."""

    costs: Annotated[str, Parameter(metavar="NAME=NS,...")] = ""
    """What things take, in nanoseconds, such as
    refault_ns=20000,pageout_page_ns=2000. Names and defaults: walk_page_ns 50 (to
    look at a page an action is asked for), pageout_page_ns 2000, willneed_page_ns
    1000, advice_page_ns 20, collapse_page_ns 200, migrate_page_ns 1000, action_ns
    2000 (per range), refault_ns 20000 (a touch of a page that was paged out),
    fault_ns 500 (the first touch of a page), reclaim_page_ns 4000 (when memory runs
    out); and touches_per_ms 10 (accesses to a page in a millisecond in which it is
    touched)."""

    check_cost: TimeNs = CHECK_NS
    """What it takes the monitor to look at one page; bare numbers are nanoseconds."""

    populated: Literal["yes", "no"] | None = None
    """Whether all memory has been touched before the beginning. If not, a page
    takes memory from its first touch on. Default: no for traces, which show all
    that a program does; else yes."""

    file_backed: bool = False
    """The memory is the page cache's, not anonymous."""

    def nodes(self) -> tuple[Node, ...]:
        """
        Return the nodes that the options ask for; none for the usual one.

        Raises:
            InvalidError: If a node is not well described, or *memory* is given too.
        """
        # A sum could be meant, or one of both; nobody can tell.
        if self.memory is not None and self.node:
            raise InvalidError(
                "--memory and --node both say how much memory there is; leave out one"
            )
        if self.memory is not None:
            return (Node(capacity=self.memory),)
        # None at all: the world makes one that is large enough.
        return tuple(build(Node, text, {}) for text in self.node)

    def cost_model(self) -> CostModel:
        """
        Return what things take.

        Raises:
            ParametersError: If a name or a value is wrong; all of them are listed.
        """
        return build(CostModel, self.costs, {})

    def processes(self, workloads: Sequence[Workload]) -> tuple[Process, ...]:
        """Return the programs of the machine, in the order of *workloads*."""
        return tuple(
            # A cgroup each, so that filters and goals can tell programs apart.
            Process(index + 1, each.space, f"/{index}", is_anon=not self.file_backed)
            for index, each in enumerate(workloads)
        )

    def is_populated(self, workloads: Sequence[Workload]) -> bool:
        """Tell whether all memory was touched before the beginning."""
        if self.populated is not None:
            return self.populated == "yes"
        # A trace begins with the program; a pattern is a program that has run for long.
        return not all(isinstance(each.space, TraceSpace) for each in workloads)


USUAL_MACHINE: Final = MachineOptions()
"""What stands for the defaults."""
