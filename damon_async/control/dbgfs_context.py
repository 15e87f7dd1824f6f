"""
A context of the debugfs interface: what its files say, and what the engine gets of it.

Source:
    spec interfaces 4.3 to 4.5.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ..engine.kdamond import Kdamond
from ..params.keywords import Action, WatermarkMetric
from ..params.monitoring import Context, NrRegions, Ops, Target
from ..params.patterns import (
    AccessBounds,
    AccessPattern,
    AccessUnit,
    AgeBounds,
    AgeUnit,
    SizeBounds,
)
from ..params.quotas import Quotas, Watermarks, Weights
from ..params.ranges import ADDRESS_MAX, AddressRange
from ..params.schemes import Scheme
from ..schemes.stats import SchemeStats
from ..spaces.space import Space
from .context_files import PAGE, intervals_of
from .dbgfs_text import Attrs, SchemeNumbers, SchemesFormat, Triple, show_scheme
from .values import refusal

PHYSICAL_ID: Final = 42
"""What physical memory is called in ``target_ids``."""

ACTIONS: Final = (
    Action.WILLNEED,
    Action.COLD,
    Action.PAGEOUT,
    Action.HUGEPAGE,
    Action.NOHUGEPAGE,
    Action.STAT,
)
"""By their numbers."""

FREE_MEM_RATE: Final = 1
"""The number of the only metric of watermarks; all others stand for none."""

STATS: Final = ("nr_tried", "sz_tried", "nr_applied", "sz_applied", "qt_exceeds")
"""Statistics in the order of their columns."""


@dataclass(slots=True)
class DebugTarget:
    """
    A target.

    Attributes:
        id: The process id, or ``PHYSICAL_ID``.

        space: Its memory.

        regions: What it begins with, as (start, end), ascending.
    """

    id: int
    space: Space
    regions: list[tuple[int, int]] = field(default_factory=list)

    def add_region(self, start: int, end: int) -> None:
        """
        Append a region.

        Raises:
            OSError: EINVAL if it is empty, not behind the one before, or too far up.
        """
        # Touching the one before is fine; only what lies below its end is not.
        before = self.regions[-1][1] if self.regions else 0
        if not before <= start < end:
            why = f"[{start}, {end}) is empty, or not behind the one before"
            raise refusal(errno.EINVAL, why)
        # So that it still fits when it is rounded.
        if end > ADDRESS_MAX - PAGE:
            raise refusal(errno.EINVAL, f"{end} is above {ADDRESS_MAX - PAGE}")
        self.regions.append((start, end))

    @property
    def ranges(self) -> tuple[AddressRange, ...]:
        """
        Its regions in pages, as an engine can take them.

        Differs: a page that two of them share belongs to the first one.
        """
        ranges: list[AddressRange] = []
        before = 0
        for start, end in self.regions:
            # Rounded outwards, so that nothing that was asked for is left out.
            low, high = max(start // PAGE * PAGE, before), -(-end // PAGE) * PAGE
            if low < high:
                ranges.append(AddressRange(start=low, end=high))
            before = high
        return tuple(ranges)


@dataclass(slots=True)
class DebugScheme:
    """
    A scheme.

    Attributes:
        numbers: As they were written.

        stats: Statistics of runs that are over, in the order of ``STATS``.
    """

    numbers: SchemeNumbers
    stats: list[int] = field(default_factory=lambda: [0] * len(STATS))

    def stats_with(self, running: SchemeStats | None) -> list[int]:
        """Return the statistics of all runs, the one under way included."""
        if running is None:
            return self.stats
        now = (int(getattr(running, name)) for name in STATS)
        return [before + more for before, more in zip(self.stats, now, strict=True)]


class DebugContext:
    """
    What the files of one context directory stand for.

    Attributes:
        attrs: Intervals and bounds.

        ops: The operations set.

        targets: Whose memory it is about.

        is_starting: Whether somebody waits for it to be started.

        pid: What its kdamond is called, if one runs.
    """

    def __init__(self) -> None:
        self.attrs = Attrs()
        self.ops = Ops.VADDR
        self.targets: list[DebugTarget] = []
        self.is_starting = False
        self.pid = 0
        self._schemes: list[DebugScheme] = []
        self._kdamond: Kdamond | None = None

    def __repr__(self) -> str:
        state = "running" if self.is_running else "idle"
        return f"<DebugContext {self.ops}, {len(self.targets)} targets, {state}>"

    # -- Running -------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether something runs it; to ask changes nothing."""
        return self._kdamond is not None and self._kdamond.is_running

    @property
    def kdamond(self) -> Kdamond | None:
        """What runs it; None if nothing does."""
        self.settle()
        return self._kdamond

    def settle(self) -> None:
        """
        If it has ended since somebody looked last, see to what the end leaves behind.

        Processes let go, regions forgotten, and statistics kept.

        Source:
            spec interfaces 4.5.
        """
        kdamond = self._kdamond
        if kdamond is None or self.is_running:
            return
        # First, or whoever is asked below would come back here.
        self._kdamond = None
        for scheme, stats in zip(self._schemes, self._stats_of(kdamond), strict=True):
            scheme.stats = scheme.stats_with(stats)
        # The kernel lets go of processes, or they could never be gone; memory stays.
        if self.ops is not Ops.PADDR:
            self.targets = []
        self.drop_regions()

    def adopt(self, kdamond: Kdamond, pid: int) -> None:
        """Take note that *kdamond* runs it from now on, and is called *pid*."""
        self._kdamond = kdamond
        self.pid = pid

    def check_idle(self) -> None:
        """
        Refuse what cannot be done while it runs.

        Raises:
            OSError: EBUSY.
        """
        kdamond = self.kdamond
        if kdamond is not None:
            raise refusal(errno.EBUSY, f"{kdamond.name} is running")
        if self.is_starting:
            raise refusal(errno.EBUSY, "it is being started")

    def drop_regions(self) -> None:
        """Leave all targets without regions."""
        for target in self.targets:
            target.regions = []

    # -- Targets and regions -------------------------------------------------

    def set_targets(self, ops: Ops, targets: Sequence[DebugTarget]) -> None:
        """Take other targets, without regions of their own."""
        self.ops = ops
        self.targets = list(targets)

    def set_regions(self, triples: Sequence[Triple], *, is_by_id: bool) -> None:
        """
        Give all targets other regions.

        Args:
            triples: Targets and their regions.

            is_by_id: Whether targets are called by id, not index.

        Raises:
            OSError: EINVAL if a target is unknown, or a region makes no sense; then
                there are no regions at all.
        """
        # Also if none of the new ones can be had; so does the kernel.
        self.drop_regions()
        names = self._names(is_by_id=is_by_id)
        try:
            for name, start, end in triples:
                if name not in names:
                    raise refusal(errno.EINVAL, f"there is no target {name}")
                # Of two targets with one id the first gets it.
                self.targets[names.index(name)].add_region(start, end)
        except OSError:
            self.drop_regions()
            raise

    def triples(self, *, is_by_id: bool) -> list[Triple]:
        """List all regions, by target and address."""
        names = self._names(is_by_id=is_by_id)
        return [
            Triple(name, start, end)
            for name, target in zip(names, self.targets, strict=True)
            for start, end in target.regions
        ]

    def _names(self, *, is_by_id: bool) -> list[int]:
        return [target.id if is_by_id else index for index, target in enumerate(self.targets)]

    # -- Schemes -------------------------------------------------------------

    def set_schemes(self, schemes: Sequence[SchemeNumbers]) -> None:
        """Take other schemes, which have done nothing yet."""
        self._schemes = [DebugScheme(numbers) for numbers in schemes]

    def schemes_text(self, form: SchemesFormat) -> bytes:
        """Return a line per scheme, with what it has done by now."""
        running = self._stats_of(self.kdamond)
        return b"".join(
            show_scheme(scheme.numbers, scheme.stats_with(stats), form)
            for scheme, stats in zip(self._schemes, running, strict=True)
        )

    def _stats_of(self, kdamond: Kdamond | None) -> list[SchemeStats | None]:
        """Return what each scheme has done in this run; None if it is not part of it."""
        # Whoever has the kdamond in hand may have committed other schemes to it.
        states = kdamond.schemes.states if kdamond is not None else []
        return [
            states[index].stats if index < len(states) else None
            for index in range(len(self._schemes))
        ]

    # -- For the engine ------------------------------------------------------

    def parameters(self) -> Context:
        """Return what the engine is to run."""
        attrs = self.attrs
        is_physical = self.ops is Ops.PADDR
        return Context(
            ops=self.ops,
            # Without the checks of our models, as files say what they like.
            targets=[
                Target.model_construct(
                    pid=None if is_physical else target.id,
                    regions=target.ranges,
                    obsolete=False,
                    space=target.space,
                )
                for target in self.targets
            ],
            intervals=intervals_of(attrs.sample_us, attrs.aggr_us, attrs.update_us),
            nr_regions=NrRegions.model_construct(min=attrs.min_nr, max=attrs.max_nr),
            schemes=[scheme_of(scheme.numbers) for scheme in self._schemes],
        )


def scheme_of(numbers: SchemeNumbers) -> Scheme:
    """Return the scheme that a record describes; made without the checks of our models."""
    return Scheme.model_construct(
        action=ACTIONS[numbers.action],
        access_pattern=_pattern_of(numbers),
        quotas=Quotas.model_construct(
            time_ms=numbers.quota_ms,
            sz_bytes=numbers.quota_sz,
            reset_interval_ms=numbers.quota_reset_ms,
            weights=Weights.model_construct(
                sz_permil=numbers.weight_sz,
                nr_accesses_permil=numbers.weight_nr_accesses,
                age_permil=numbers.weight_age,
            ),
        ),
        watermarks=_watermarks_of(numbers),
    )


def _pattern_of(numbers: SchemeNumbers) -> AccessPattern:
    return AccessPattern.model_construct(
        sz_bytes=SizeBounds.model_construct(min=numbers.min_sz, max=numbers.max_sz),
        nr_accesses=AccessBounds.model_construct(
            min=numbers.min_nr_accesses, max=numbers.max_nr_accesses, unit=AccessUnit.SAMPLES
        ),
        age=AgeBounds.model_construct(
            min=numbers.min_age, max=numbers.max_age, unit=AgeUnit.AGGR_INTERVALS
        ),
    )


def _watermarks_of(numbers: SchemeNumbers) -> Watermarks:
    # A metric that nobody knows never puts a scheme to sleep.
    is_set = numbers.metric == FREE_MEM_RATE
    return Watermarks.model_construct(
        metric=WatermarkMetric.FREE_MEM_RATE if is_set else WatermarkMetric.NONE,
        interval_us=numbers.interval_us,
        high_permil=numbers.high,
        mid_permil=numbers.mid,
        low_permil=numbers.low,
    )
