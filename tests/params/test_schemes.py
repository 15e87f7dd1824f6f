"""Schemes as a whole: defaults, texts, destinations, and all mistakes at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from damon_async.errors import ParametersError
from damon_async.params.filters import Filter
from damon_async.params.keywords import Action
from damon_async.params.monitoring import Context
from damon_async.params.patterns import AccessPattern
from damon_async.params.quotas import Goal, Quotas, Watermarks
from damon_async.params.schemes import Dest, Scheme


def problems_of(make: Callable[[], object]) -> list[str]:
    """Return what *make* is refused for."""
    with pytest.raises(ParametersError, match=r".") as caught:
        make()
    return [str(problem) for problem in caught.value.problems]


def test_defaults() -> None:
    """A scheme of nothing counts everything at every aggregation."""
    scheme = Scheme()
    assert scheme.action is Action.STAT
    assert scheme.access_pattern == AccessPattern()
    assert (scheme.apply_interval_us, scheme.max_nr_snapshots, scheme.name) == (0, 0, "")
    assert (scheme.quotas, scheme.watermarks, scheme.filters) == (Quotas(), Watermarks(), ())
    assert (scheme.target_nid, scheme.dests) == (None, ())


def test_objects_and_models_are_the_same() -> None:
    """Inner models may be given as objects of a document."""
    made = Scheme(
        "pageout",
        {"age": ("5 s", "max")},
        "1 s",
        {"sz_bytes": "128M", "reset_interval_ms": "1 s"},
        {"metric": "free_mem_rate", "interval_us": "5 s", "high_permil": "50 %"},
        [{"filter_type": "anon"}],
    )
    assert made == Scheme(
        action=Action.PAGEOUT,
        access_pattern=AccessPattern(age=("5 s", "max")),
        apply_interval_us=1_000_000,
        quotas=Quotas(sz_bytes=2**27, reset_interval_ms=1000),
        watermarks=Watermarks("free_mem_rate", 5_000_000, 500),
        filters=[Filter("anon")],
    )


def test_own_action() -> None:
    """A function of the user may be the action."""

    async def act(request: object) -> int:
        return hash(request)

    assert Scheme(act).action is act


def test_layers_of_filters() -> None:
    """Filters for regions and for pages keep their order in their layers."""
    kinds = ["anon", "target", "young", "target"]
    filters = [
        Filter(kind, damon_target_idx=index if kind == "target" else None)
        for index, kind in enumerate(kinds)
    ]
    scheme = Scheme(filters=filters)
    assert scheme.core_filters == (filters[1], filters[3])
    assert scheme.ops_filters == (filters[0], filters[2])


@pytest.mark.parametrize("action", ["migrate_hot", "migrate_cold"])
def test_migrations_go_somewhere(action: str) -> None:
    """A migration needs a node, or several with weights."""
    assert Scheme(action, target_nid=0).target_nid == 0
    assert Scheme(action, dests=[Dest(0, 0), Dest("1", "2")]).dests[1] == Dest(1, 2)
    assert problems_of(lambda: Scheme(action)) == [
        f"target_nid: missing; {action} needs it, or dests"
    ]
    assert problems_of(lambda: Scheme(action, dests=[Dest(0, 0), Dest(1, 0)])) == [
        "dests: all weights are 0; nothing would be migrated"
    ]


def test_only_migrations_go_somewhere() -> None:
    """Destinations of other actions are refused, for nobody would go there."""
    assert problems_of(lambda: Scheme("pageout", dests=[Dest(0, 1)])) == [
        "dests: only migrate_hot and migrate_cold have destinations"
    ]
    assert problems_of(lambda: Scheme(print, dests=[Dest(0, 1)])) == [
        "dests: only migrate_hot and migrate_cold have destinations"
    ]
    assert Scheme("pageout", target_nid=0).target_nid == 0


def test_every_mistake_at_once() -> None:
    """All mistakes of a scheme are listed, each with its path."""
    wrong = problems_of(
        lambda: Scheme(
            "page_out",
            {"sz_bytes": ("2M", "1M"), "age": ("old", "max")},
            "-5 ms",
            {"sz_bytes": -1, "goals": [{"metric": "user_input", "target_value": 0}, 7]},
            {"metric": "free_mem", "low_permil": 5},
            [{"filter_type": "memcg"}, {"matching": True}],
            target_nid=-1,
            max_nr_snapshots="many",
        )
    )
    assert [problem.partition(":")[0] for problem in wrong] == [
        "action",
        "access_pattern.sz_bytes.min",
        "access_pattern.age.min",
        "apply_interval_us",
        "quotas.sz_bytes",
        "quotas.goals[0].target_value",
        "quotas.goals[1]",
        "watermarks.metric",
        "filters[0].memcg_path",
        "filters[1].filter_type",
        "target_nid",
        "max_nr_snapshots",
    ]


def test_context_has_schemes() -> None:
    """A context holds schemes, in order."""
    context = Context("paddr", schemes=[Scheme(), {"action": "pageout"}])
    assert [scheme.action for scheme in context.schemes] == ["stat", "pageout"]


@pytest.mark.parametrize("ops", ["vaddr", "fvaddr"])
def test_eligible_memory_is_physical(ops: str) -> None:
    """A goal about eligible memory of a node needs physical addresses."""
    scheme = Scheme(quotas=Quotas(goals=[Goal("node_eligible_mem_bp", "5 %", nid=0)]))
    assert Context("paddr", schemes=[scheme]).schemes == (scheme,)
    assert problems_of(lambda: Context(ops, schemes=[Scheme(), scheme])) == [
        f"schemes[1].quotas.goals[0].metric: node_eligible_mem_bp needs paddr, not {ops}"
    ]


def test_own_operations_may_know_nodes() -> None:
    """An operations set of one's own may have goals about eligible memory."""

    class Own:
        ends_with_targets = is_pure = lifetime_us = ranges = accessed = None

    scheme = Scheme(quotas=Quotas(goals=[Goal("node_eligible_mem_bp", "5 %", nid=0)]))
    assert Context(Own(), schemes=[scheme]).schemes == (scheme,)
