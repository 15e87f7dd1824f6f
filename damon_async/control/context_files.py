"""A context as files have it, made into parameters: what ``on`` and ``commit`` read."""

from __future__ import annotations

import errno
from typing import Final

from ..errors import InvalidError
from ..params.intervals import AGGR_US_MAX, Intervals, IntervalsGoal
from ..params.monitoring import Context, NrRegions, Ops, Target
from ..params.ranges import ADDRESS_MAX, AddressRange
from ..spaces.space import Space
from .node import Branch
from .profiles import NEXT, Release
from .scheme_files import memcg_of, scheme_of
from .values import refusal
from .world import World

PAGE: Final = 4096

ORDER_SINCE: Final = Release(6, 12)
"""From here on ``sample_us`` may not be above ``aggr_us``; the exact release is not known."""


def context_of(branch: Branch, world: World, release: Release, now_us: int) -> Context:
    """
    Return the context that the files in *branch* describe.

    Args:
        branch: A directory ``contexts/0``.

        world: Whom the files can be about.

        release: Whose checks are made.

        now_us: The time, in microseconds: processes that ended by then are gone.

    Raises:
        OSError: EINVAL or ENOMEM, for the first thing that is wrong, in the
            order of the kernel.

    Source:
        spec interfaces 2.4, step 4.
        Differs: addresses end at 2^63 - 1, intervals at 2^53 microseconds; units
        of addresses that do not make a page a power of two are EINVAL in 6.18,
        as in its later updates.
    """
    ops = Ops(str(branch.value("operations")))
    if ops not in world.operations:
        raise refusal(errno.EINVAL, f"{ops} is not available")
    # Other sets than paddr do not look at the unit.
    addr_unit = branch.number("addr_unit", 1) if ops is Ops.PADDR else 1
    unit = max(PAGE // addr_unit, 1)
    attrs = branch.below("monitoring_attrs")
    intervals, nr_regions = _attrs_of(attrs, release)
    _check_probes(attrs, world)
    reader = _TargetReader(ops, world, release, now_us, unit, ADDRESS_MAX // addr_unit)
    targets = reader.targets_of(branch.below("targets"))
    schemes = [scheme_of(child, world) for child in branch.below("schemes").children()]
    try:
        return Context(
            ops=ops,
            targets=targets,
            intervals=intervals,
            nr_regions=nr_regions,
            addr_unit=addr_unit,
            min_region_sz=unit,
            pause=bool(branch.number("pause")),
            schemes=schemes,
        )
    except InvalidError as error:
        raise refusal(errno.EINVAL, str(error)) from None


def _attrs_of(branch: Branch, release: Release) -> tuple[Intervals, NrRegions]:
    """Read intervals and bounds; their checks are mixed."""
    files, bounds = branch.below("intervals"), branch.below("nr_regions")
    sample_us, aggr_us = files.number("sample_us"), files.number("aggr_us")
    goal = IntervalsGoal()
    if files.has("intervals_goal"):
        goal = _goal_of(files.below("intervals_goal"), sample_us)
    least, most = bounds.number("min"), bounds.number("max")
    if least < 3 or most < least:
        raise refusal(errno.EINVAL, f"nr_regions {least} to {most}: at least 3, and in order")
    if sample_us > aggr_us and release >= ORDER_SINCE:
        raise refusal(errno.EINVAL, f"sample_us {sample_us} is above aggr_us {aggr_us}")
    intervals = intervals_of(sample_us, aggr_us, files.number("update_us"), goal)
    return intervals, NrRegions.model_construct(min=least, max=most)


def intervals_of(
    sample_us: int, aggr_us: int, update_us: int, goal: IntervalsGoal | None = None
) -> Intervals:
    """
    Return intervals that files hold, brought to what the engine can take.

    Args:
        sample_us: In microseconds, like all of them.

        aggr_us: Where it may be below *sample_us*, each sampling ends an aggregation.

        update_us: As in files.

        goal: What they are tuned for; None if they are not.
    """
    sample_us = min(sample_us, AGGR_US_MAX)
    return Intervals.model_construct(
        sample_us=sample_us,
        aggr_us=min(max(sample_us, aggr_us), AGGR_US_MAX),
        update_us=update_us,
        intervals_goal=goal or IntervalsGoal(),
    )


def _goal_of(branch: Branch, sample_us: int) -> IntervalsGoal:
    low, high = branch.number("min_sample_us"), branch.number("max_sample_us")
    aggrs = branch.number("aggrs")
    if aggrs and not low <= sample_us <= high:
        why = f"sample_us {sample_us} is not between min_sample_us {low} and max_sample_us {high}"
        raise refusal(errno.EINVAL, why)
    return IntervalsGoal.model_construct(
        access_bp=branch.number("access_bp"), aggrs=aggrs, min_sample_us=low, max_sample_us=high
    )


def _check_probes(attrs: Branch, world: World) -> None:
    """Refuse probes that name a memory cgroup that there is not; the engine has none."""
    if not attrs.has("probes"):
        return
    for probe in attrs.below("probes").children():
        for child in probe.below("filters").children():
            if child.value("type") == "memcg":
                memcg_of(child, "path", world, errno.EINVAL)


class _TargetReader:
    """
    Reads targets.

    Args:
        ops: Decides whose memory a target is.

        world: Has that memory.

        release: Whose checks are made.

        now_us: The time, in microseconds.

        unit: The smallest region.

        end: The largest address there may be, in address units.
    """

    def __init__(
        self, ops: Ops, world: World, release: Release, now_us: int, unit: int, end: int
    ) -> None:
        self._ops = ops
        self._world = world
        self._release = release
        self._now_us = now_us
        self._unit = unit
        self._end = end

    def targets_of(self, branch: Branch) -> tuple[Target, ...]:
        """
        Return all targets.

        Raises:
            OSError: EINVAL for the first thing that is wrong.
        """
        if self._ops is Ops.PADDR and branch.nr_children > 1:
            raise refusal(errno.EINVAL, f"paddr has one target, not {branch.nr_children}")
        return tuple(map(self._target_of, branch.children()))

    def _target_of(self, branch: Branch) -> Target:
        pid = branch.number("pid_target")
        space: Space | None = self._world.memory
        if self._ops is not Ops.PADDR:
            space = self._world.alive(pid, self._now_us)
            if space is None:
                raise refusal(errno.EINVAL, f"{branch.path}: there is no process {pid}")
        return Target.model_construct(
            pid=pid if self._ops is not Ops.PADDR else None,
            regions=self._regions_of(branch.below("regions")),
            obsolete=bool(branch.number("obsolete_target")),
            space=space,
        )

    def _regions_of(self, branch: Branch) -> tuple[AddressRange, ...]:
        """Read ranges, ascending; both checks of the order are the kernel's."""
        ranges: list[AddressRange] = []
        given_end = rounded_end = 0
        for child in branch.children():
            start, end = child.number("start"), child.number("end")
            low, high = start // self._unit * self._unit, -(-end // self._unit) * self._unit
            is_reversed = start > end and self._release < NEXT
            if is_reversed or low >= high or (ranges and (given_end > start or rounded_end > low)):
                why = f"[{start}, {end}) is empty, or not behind the one before"
                raise refusal(errno.EINVAL, f"{child.path}: {why}")
            if high > self._end:
                raise refusal(errno.EINVAL, f"{child.path}: {end} is above {self._end}")
            given_end, rounded_end = end, high
            # Rounded where the range itself would be none; it comes to the same.
            is_range = start < end
            ranges.append(
                AddressRange(start=start, end=end) if is_range else AddressRange(low, high)
            )
        return tuple(ranges)
