"""Options of the commands that serve control trees: which kernel, which workloads, which clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from cyclopts import Group, Parameter

from ..control.profiles import Profile
from ..errors import InvalidError
from ..processes.rules import parse_rule
from ..sandbox.service import DEFAULT_WORKLOAD, ServiceOptions
from .quantities import Count

TREES: Final = Group("Which files", sort_key=1)
WORKLOADS: Final = Group("What to monitor", sort_key=2)
CLOCK: Final = Group("How time passes", sort_key=3)

Release: TypeAlias = Literal["5.18", "6.1", "6.12", "6.18", "latest"]
"""The kernels whose interface there is."""


@Parameter(name="*", group=TREES)
@dataclass(frozen=True, kw_only=True)
class TreeOptions:
    """Which files there are."""

    profile: Release = "6.18"
    """The kernel whose files, keywords and errors they have."""

    dbgfs: bool = False
    """Serve the debugfs interface as well; kernels up to 6.12 have it."""


@Parameter(name="*", group=WORKLOADS)
@dataclass(frozen=True, kw_only=True)
class WorkloadOptions:
    """What processes and memory do."""

    workload: Annotated[str, Parameter(metavar="SPEC")] = DEFAULT_WORKLOAD
    """What processes do of which nothing else is known. See `damon-async workloads`."""

    memory: Annotated[str | None, Parameter(metavar="SPEC", show_default=False)] = None
    """What is done to the physical memory that `paddr` monitors. Default: one gigabyte
    with a small hot block."""

    rule: Annotated[tuple[str, ...], Parameter(metavar="NAME=SPEC", show_default=False)] = ()
    """What processes of a name do, e.g. redis-*=zipf:size=1G. May be given several times. `masim
    CONFIG` and the selftests' `access_memory` are known already, and processes of
    `damon-async masim` say it themselves."""

    seed: Count = 0
    """Where all randomness comes from."""


@Parameter(name="*", group=CLOCK)
@dataclass(frozen=True, kw_only=True)
class ClockOptions:
    """How time passes."""

    real_time: bool = False
    """Follow the machine's clock. This is the default."""

    virtual: bool = False
    """Time stands still, except while a command waits for a kdamond: it then jumps to where
    that has answered. Nothing passes while tools sleep."""


NO_TREES: Final = TreeOptions()
NO_WORKLOADS: Final = WorkloadOptions()
NO_CLOCK: Final = ClockOptions()
"""What holds if nothing is said."""


def service_options(
    trees: TreeOptions, workloads: WorkloadOptions, clock: ClockOptions
) -> ServiceOptions:
    """
    Return what is to be served.

    Raises:
        InvalidError: If a rule cannot be read, or two clocks were asked for.
    """
    # One of them is the default, but whoever asks for both means neither.
    if clock.real_time and clock.virtual:
        msg = "--real_time and --virtual are two clocks; choose one"
        raise InvalidError(msg)
    return ServiceOptions(
        # Texts until here: options are what is typed, and the service knows what it means.
        profile=Profile(trees.profile),
        workload=workloads.workload,
        memory=workloads.memory,
        rules=tuple(parse_rule(text) for text in workloads.rule),
        seed=workloads.seed,
        is_virtual=clock.virtual,
        has_dbgfs=trees.dbgfs,
    )
