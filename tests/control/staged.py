"""Parameters that files can hold to the letter, drawn or written out, and trees staged with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from damon_async.control.admin import ADMIN
from damon_async.control.load import stage
from damon_async.control.parameter_files import values_of
from damon_async.control.profiles import Profile
from damon_async.control.stored_tree import take
from damon_async.control.tree import Tree
from damon_async.params.filters import Filter
from damon_async.params.intervals import Intervals, IntervalsGoal
from damon_async.params.keywords import Action, GoalMetric
from damon_async.params.monitoring import Context, Kdamond, NrRegions, Ops, Target
from damon_async.params.patterns import AccessPattern
from damon_async.params.quotas import Goal, Quotas, Watermarks, Weights
from damon_async.params.ranges import AddressRange
from damon_async.params.schemes import Dest, Scheme
from damon_async.units import U64_MAX

U32_MAX = 2**32 - 1
PAGE = 4096

FILTERS = [
    Filter("memcg", allow=True, memcg_path="/a b"),
    Filter("addr", matching=False, address_range="4K-1M"),
    Filter("target", damon_target_idx=3),
    Filter("hugepage_size", hugepage_size=("2M", "1G")),
    Filter("young", matching=False, allow=True),
]

GOALS = [
    Goal("user_input", 10_000, 5_000),
    Goal("some_mem_psi_us", "10 ms"),
    Goal("node_mem_free_bp", 50, nid=1),
    Goal("node_memcg_used_bp", 7, nid=0, memcg_path="/b"),
]

RECLAIM = Kdamond(
    [
        Context(
            "paddr",
            [Target(regions="4G-8G 16G-17G")],
            Intervals("5 ms", "100 ms", "1 s", IntervalsGoal(400, 3, 5000, 10_000_000)),
            NrRegions(20, 2000),
            schemes=[
                Scheme(
                    "pageout",
                    AccessPattern(("4K", "max"), (0, 0), ("5 s", "max")),
                    "1 s",
                    Quotas("10 ms", "128M", "1 s", Weights(0, 0, 1), GOALS[:2]),
                    Watermarks("free_mem_rate", "5 s", 500, 400, 200),
                    [Filter("anon", matching=False)],
                ),
            ],
        )
    ],
    refresh_ms=1000,
)
"""Everything that a scheme has, on physical memory."""

PROMOTE = Kdamond(
    [
        Context(
            "vaddr",
            [Target(pid=12), Target(pid=34, regions="4096-8192")],
            schemes=[
                Scheme("stat"),
                Scheme("migrate_hot", quotas=Quotas(sz_bytes=4096), dests=[Dest(0, 5), Dest(1, 6)]),
                Scheme("migrate_cold", target_nid=1, quotas=Quotas("1 ms", goals=GOALS[2:])),
            ],
        )
    ]
)
"""Several targets and schemes, of which only the later ones have limits and goals."""


def staged(kdamonds: Iterable[Kdamond], profile: Profile = Profile.LATEST) -> Tree:
    """Return a tree with nothing behind it that holds what parameters say."""
    tree = Tree(ADMIN, profile)
    stage(tree, values_of(kdamonds), ADMIN)
    return tree


def taken(tree: Tree) -> dict[str, str]:
    """Return all values of a tree, of which none may be missed."""
    values, missed = take(tree)
    assert missed == {}
    return values


counts = st.integers(0, 1000) | st.sampled_from([U32_MAX, U64_MAX])

numbers = st.integers(0, 10**9) | st.just(U64_MAX)


@st.composite
def _bounds(draw: st.DrawFn, values: st.SearchStrategy[int]) -> dict[str, Any]:
    low, high = sorted([draw(values), draw(values)])
    return {"min": low, "max": high}


@st.composite
def _patterns(draw: st.DrawFn) -> AccessPattern:
    # In the units of files; others become these.
    return AccessPattern(
        draw(_bounds(numbers)),
        draw(_bounds(counts)) | {"unit": "samples"},
        draw(_bounds(counts)) | {"unit": "aggr_intervals"},
    )


@st.composite
def _schemes(draw: st.DrawFn, ops: Ops) -> Scheme:
    action = draw(st.sampled_from(Action))
    low, mid, high = sorted(draw(st.tuples(*[st.integers(0, 1000)] * 3)))
    goals = [*GOALS, Goal(GoalMetric.NODE_ELIGIBLE_MEM_BP, 5, nid=2)]
    window_ms = draw(numbers)
    return Scheme(
        action,
        draw(_patterns()),
        draw(st.integers(0, 10**12)),
        Quotas(
            min(window_ms, draw(st.integers(0, 10**6))),
            draw(numbers),
            window_ms,
            Weights(*draw(st.tuples(*[st.integers(0, U32_MAX)] * 3))),
            draw(st.lists(st.sampled_from(goals if ops is Ops.PADDR else GOALS), max_size=3)),
            draw(st.sampled_from(["consist", "temporal"])),
            draw(st.integers(0, 9)),
            draw(st.integers(9, 99)),
        ),
        Watermarks(draw(st.sampled_from(["none", "free_mem_rate"])), 7, high, mid, low),
        draw(st.lists(st.sampled_from(FILTERS), max_size=3)),
        draw(st.integers(0, 9)) if action.is_migration else None,
        [Dest(1, 2), Dest(3, 0)] if action.is_migration and draw(st.booleans()) else (),
        draw(st.integers(0, 9)),
    )


@st.composite
def _targets(draw: st.DrawFn, ops: Ops) -> Target:
    starts = sorted(draw(st.sets(st.integers(0, 1000), max_size=3)))
    regions = [AddressRange(start * 2 * PAGE, (start * 2 + 1) * PAGE) for start in starts]
    pid = None if ops is Ops.PADDR else draw(st.integers(0, 2**31 - 1))
    return Target(pid, regions, draw(st.booleans()))


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    """Draw a context of which a tree can hold everything."""
    ops = draw(st.sampled_from(Ops))
    unit = draw(st.sampled_from([1, 8, 4096])) if ops is Ops.PADDR else 1
    sample_us = draw(st.integers(0, 10**6))
    most = 1 if ops is Ops.PADDR else 3
    return Context(
        ops,
        draw(st.lists(_targets(ops), max_size=most)),
        Intervals(
            sample_us,
            sample_us + draw(st.integers(0, 10**6)),
            draw(numbers),
            IntervalsGoal(draw(counts), draw(st.integers(0, 9)), 0, 10**7),
        ),
        NrRegions(draw(st.integers(3, 100)), draw(st.integers(100, 10_000))),
        unit,
        max(PAGE // unit, 1),
        draw(st.booleans()),
        draw(st.lists(_schemes(ops), max_size=3)),
    )


kdamonds = st.lists(
    st.builds(lambda context, ms: Kdamond([context], ms), contexts(), st.integers(0, U32_MAX)),
    max_size=2,
)
