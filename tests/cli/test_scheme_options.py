"""damo's options for a scheme, and the scheme that they make."""

from __future__ import annotations

from typing import Any

import pytest

from damon_async.cli.scheme_options import SchemeOptions
from damon_async.params.filters import Filter
from damon_async.params.quotas import Goal, Quotas, Watermarks
from damon_async.params.schemes import Dest, Scheme
from damon_async.units import U64_MAX


def made(action: str = "stat", **options: Any) -> Scheme:
    """Return the scheme of some options."""
    scheme = SchemeOptions(damos_action=(action,), **options).scheme()
    assert scheme is not None
    return scheme


def test_no_options_no_scheme() -> None:
    """Where nothing is given nothing is made."""
    assert SchemeOptions().scheme() is None
    assert SchemeOptions().given() == ()


def test_action_alone() -> None:
    """An action alone is about all memory, always."""
    assert made("pageout") == Scheme("pageout")


def test_pattern() -> None:
    """Sizes, rates and ages are bounds in damo's units."""
    scheme = made(
        damos_sz_region=("4K", "max"), damos_access_rate=("0%", "5%"), damos_age=("5s", "max")
    )
    pattern = {"sz_bytes": ("4K", "max"), "nr_accesses": ("0%", "5%"), "age": ("5s", "max")}
    assert scheme == Scheme("stat", pattern)


@pytest.mark.parametrize(
    ("words", "scheme"),
    [
        (("migrate_hot", "1"), Scheme("migrate_hot", target_nid=1)),
        (
            ("migrate_cold", "0", "1", "2", "3"),
            Scheme("migrate_cold", dests=[Dest(0, 1), Dest(2, 3)]),
        ),
    ],
)
def test_nodes(words: tuple[str, ...], scheme: Scheme) -> None:
    """Behind a migration stands a node, or pairs of node and weight."""
    assert SchemeOptions(damos_action=words).scheme() == scheme


@pytest.mark.parametrize(
    ("words", "quotas"),
    [
        (("10ms",), {"time_ms": 10, "reset_interval_ms": U64_MAX}),
        (("10ms", "1G", "1s"), {"time_ms": 10, "sz_bytes": "1G", "reset_interval_ms": 1000}),
        (
            ("0", "1G", "1s", "0", "3", "7"),
            {
                "sz_bytes": "1G",
                "reset_interval_ms": 1000,
                "weights": {"nr_accesses_permil": 3, "age_permil": 7},
            },
        ),
    ],
)
def test_quota_in_one(words: tuple[str, ...], quotas: dict[str, Any]) -> None:
    """All of a quota in one option; without an interval it is for all time."""
    assert made(damos_quotas=words).quotas == Quotas(**quotas)


def test_quota_piece_by_piece() -> None:
    """Pieces of a quota add up; the usual weights are equal."""
    quotas = made(damos_quota_interval="1s", damos_quota_time="5ms", damos_quota_space="1M").quotas
    assert (quotas.reset_interval_ms, quotas.time_ms, quotas.sz_bytes) == (1000, 5, 2**20)
    assert {*quotas.weights.model_dump().values()} == {1}

    weighed = made(damos_quota_interval="1s", damos_quota_weights=("0", "3", "7")).quotas.weights
    assert tuple(weighed.model_dump().values()) == (0, 3, 7)


def test_goals() -> None:
    """Goals may be many; each metric has its own arguments."""
    words = (
        *("some_mem_psi_us", "10ms"),
        *("user_input", "10000", "5000"),
        *("node_mem_used_bp", "99%", "0"),
        *("node_memcg_free_bp", "5%", "1", "/a"),
    )
    quotas = made(
        damos_quota_interval="1s", damos_quota_goal=words, damos_quota_goal_tuner="temporal"
    ).quotas
    assert quotas.goals == (
        Goal("some_mem_psi_us", 10_000),
        Goal("user_input", 10_000, 5_000),
        Goal("node_mem_used_bp", "99%", nid=0),
        Goal("node_memcg_free_bp", "5%", nid=1, memcg_path="/a"),
    )
    assert quotas.goal_tuner == "temporal"


def test_filters() -> None:
    """Filters may be many; "none" is about all other memory."""
    words = (
        *("reject", "none", "anon"),
        *("allow", "memcg", "/a"),
        *("reject", "addr", "4K", "8K"),
        *("allow", "target", "0"),
        *("reject", "hugepage_size", "2M", "max"),
    )
    assert made(damos_filter=words).filters == (
        Filter("anon", matching=False),
        Filter("memcg", allow=True, memcg_path="/a"),
        Filter("addr", address_range="4096-8192"),
        Filter("target", allow=True, damon_target_idx=0),
        Filter("hugepage_size", hugepage_size=("2M", "max")),
    )


def test_the_rest() -> None:
    """Intervals, watermarks, failures and rounds go where they belong."""
    scheme = made(
        damos_apply_interval="1s",
        damos_wmarks=("free_mem_rate", "5s", "500", "400", "200"),
        damos_quota_fail_charge_ratio=("1", "4096"),
        damos_max_nr_snapshots="7",
    )
    assert scheme.watermarks == Watermarks("free_mem_rate", "5s", 500, 400, 200)
    assert scheme.apply_interval_us == 1_000_000
    assert (scheme.quotas.fail_charge_num, scheme.quotas.fail_charge_denom) == (1, 4096)
    assert scheme.max_nr_snapshots == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"damos_age": ("1s", "max")}, "--damos_age: say what to do with --damos_action"),
        ({"damos_action": ("migrate_hot", "0", "1", "2")}, "one node, or pairs of node and weight"),
        (
            {"damos_quotas": ("1s",), "damos_quota_time": "1s"},
            "--damos_quotas holds all of a quota; leave out --damos_quota_time",
        ),
        ({"damos_quotas": ("1",) * 7}, "at most time, size, interval and three weights"),
        (
            {"damos_quota_goal": ("user_input", "1", "2")},
            "--damos_quota_goal needs to know how often: give --damos_quota_interval",
        ),
        (
            {"damos_quota_interval": "1s", "damos_quota_goal": ("user_input", "1")},
            "'user_input 1' does not fit; expected METRIC target_value current_value",
        ),
        (
            {"damos_quota_interval": "1s", "damos_quota_goal": ("joy", "1")},
            "'joy' is not a quota goal metric",
        ),
        ({"damos_filter": ("maybe", "anon")}, "'maybe anon' does not fit; expected allow|reject"),
        ({"damos_filter": ("reject", "none")}, "'reject none' does not fit"),
        ({"damos_filter": ("reject", "anon", "4K")}, "'reject anon 4K' does not fit"),
        ({"damos_filter": ("reject", "memcg")}, "memcg_path: missing; memcg filters need it"),
        ({"damos_filter": ("reject", "taste")}, "'taste' is not a filter type"),
    ],
)
def test_mistakes(options: dict[str, Any], message: str) -> None:
    """Options that do not go together are told in their own words."""
    given = (
        options
        if len(options) == 1 and "damos_age" in options
        else {
            "damos_action": ("stat",),
            **options,
        }
    )
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        SchemeOptions(**given).scheme()


def test_all_mistakes_at_once() -> None:
    """Wrong values in several options are all told."""
    options = SchemeOptions(
        damos_action=("pageou",),
        damos_sz_region=("8K", "4K"),
        damos_age=("x", "max"),
        damos_quotas=("y",),
        damos_max_nr_snapshots="-1",
    )
    with pytest.raises(ValueError, match="5 problems: action: 'pageou' is not an action"):
        options.scheme()
