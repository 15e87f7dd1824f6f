"""Schemes in documents: damo's shapes, read and written, alone and in contexts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from damon_async.params.document import load_document, to_document
from damon_async.params.filters import Filter
from damon_async.params.keywords import Action
from damon_async.params.monitoring import Context, Kdamond
from damon_async.params.patterns import AccessPattern
from damon_async.params.quotas import Goal, Quotas, Watermarks, Weights
from damon_async.params.scheme_document import (
    load_schemes,
    load_schemes_file,
    to_schemes_document,
)
from damon_async.params.schemes import Dest, Scheme
from damon_async.units import U64_MAX

from .scheme_trees import RECLAIM, RECLAIM_TREE, changed, problems_of

ALL_FILTERS = [
    Filter("memcg", allow=True, memcg_path="/a"),
    Filter("addr", matching=False, address_range="4K-1M"),
    Filter("target", damon_target_idx=3),
    Filter("hugepage_size", hugepage_size=("2M", "1G")),
    Filter("young", matching=False, allow=True),
]


def through_damo(folder: Path, option: str, document: object) -> Any:
    """Have real damo read a document that we wrote, and return what it writes."""
    damo = shutil.which("damo", path=str(Path(sys.executable).parent))
    if damo is None:
        pytest.skip("needs the damo tool")
    path = folder / "document.json"
    path.write_text(json.dumps(document))
    command = [damo, "args", "damon", "--ops", "paddr", option, str(path), "--format", "json"]
    # On a kernel without DAMON it says so on stderr, and prints nevertheless.
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


percents = st.integers(0, 100) | st.sampled_from([0.5, 12.25, U64_MAX])
times_ms = st.integers(0, 10**6) | st.just(U64_MAX)


@st.composite
def pairs_of(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Draw two bounds in order."""
    low, high = sorted([draw(values), draw(values)])
    return {"min": low, "max": high}


@st.composite
def patterns_of(draw: st.DrawFn) -> AccessPattern:
    """Draw a pattern in any of the units."""
    counts = pairs_of(st.integers(0, 1000) | st.just(U64_MAX))
    sizes = draw(pairs_of(st.integers(0, 64).map(lambda power: min(2**power, U64_MAX))))
    rates = draw(pairs_of(percents)) | {"unit": "percent"}
    ages = draw(pairs_of(times_ms.map(lambda ms: min(ms * 1000, U64_MAX)))) | {"unit": "us"}
    if draw(st.booleans()):
        rates = draw(counts) | {"unit": "samples"}
    if draw(st.booleans()):
        ages = draw(counts) | {"unit": "aggr_intervals"}
    return AccessPattern(sizes, rates, ages)


@st.composite
def schemes_of(draw: st.DrawFn) -> Scheme:
    """Draw a scheme of numbers that human forms print exactly."""
    action = draw(st.sampled_from(Action))
    window_ms = draw(times_ms)
    num, denom = sorted([draw(st.integers(0, 99)), draw(st.integers(0, 99))])
    low, mid, high = sorted(draw(st.tuples(*[st.integers(0, 1000)] * 3)))
    weights = draw(st.tuples(*[st.integers(0, 2**32 - 1)] * 3))
    goals = [Goal("active_mem_bp", "50.1 %"), Goal("node_memcg_free_bp", 7, 3, 1, "/b")]
    return Scheme(
        action,
        draw(patterns_of()),
        draw(times_ms.filter(lambda ms: ms < U64_MAX)) * 1000,
        Quotas(
            min(window_ms, draw(st.integers(0, 10**6))),
            draw(st.integers(0, 1024)),
            window_ms,
            Weights(*weights),
            draw(st.lists(st.sampled_from(goals), max_size=2)),
            draw(st.sampled_from(["consist", "temporal"])),
            num,
            denom,
        ),
        Watermarks("free_mem_rate", "5 s", high, mid, low),
        draw(st.lists(st.sampled_from(ALL_FILTERS), max_size=3)),
        draw(st.integers(0, 9)) if action.is_migration else None,
        [Dest(1, 2), Dest(3, 4)] if action.is_migration and draw(st.booleans()) else (),
        draw(st.integers(0, 9)),
        draw(st.sampled_from(["", "my reclaim"])),
    )


def test_write() -> None:
    """A scheme is written in damo's shape and human forms."""
    assert to_schemes_document([RECLAIM]) == [RECLAIM_TREE]


def test_read() -> None:
    """What damo prints is read, from text, bytes and trees."""
    text = json.dumps([RECLAIM_TREE])
    for source in (text, text.encode(), json.loads(text), f"\n {text}"):
        assert load_schemes(source) == (RECLAIM,)


def test_part_of_a_context() -> None:
    """Schemes of a context are written and read with it."""
    kdamond = Kdamond([Context("paddr", schemes=[RECLAIM, Scheme()])])
    tree = to_document([kdamond])
    assert tree["kdamonds"][0]["contexts"][0]["schemes"][0] == RECLAIM_TREE
    assert load_document(tree) == (kdamond,)


def test_write_raw() -> None:
    """A raw scheme holds plain numbers in the units of their fields, as texts."""
    (tree,) = to_schemes_document([RECLAIM], raw=True)
    assert tree["quotas"]["time_ms"] == "10"
    assert tree["quotas"]["reset_interval_ms"] == "1000"
    assert tree["quotas"]["weights"]["age_permil"] == "1"
    assert tree["access_pattern"]["age"] == {"min": "5000000", "max": str(U64_MAX)}
    assert tree["access_pattern"]["nr_accesses"] == {"min": "0 %", "max": "0 %"}
    assert tree["watermarks"]["interval_us"] == "5000000"


def test_omit_defaults() -> None:
    """What limits nothing may be left out, and comes back when it is read."""
    (short,) = to_schemes_document([Scheme("cold")], omit_defaults=True)
    assert short == {"action": "cold", "dests": [], "apply_interval_us": "0 ns"}
    assert load_schemes([short]) == (Scheme("cold"),)
    damos = Scheme(quotas=Quotas(reset_interval_ms="max"))
    assert "quotas" not in to_schemes_document([damos], omit_defaults=True)[0]


def test_omit_defaults_in_contexts() -> None:
    """Schemes in contexts are shortened with them."""
    kdamond = Kdamond([Context(schemes=[Scheme("cold")])])
    tree = to_document([kdamond], omit_defaults=True)
    assert "quotas" not in tree["kdamonds"][0]["contexts"][0]["schemes"][0]
    assert load_document(tree) == (kdamond,)


def test_empty_scheme() -> None:
    """A scheme object may be empty, as in damo."""
    assert load_schemes([{}]) == (Scheme(),)


def test_migrations() -> None:
    """Only migrations write a node, and none if destinations say where to."""
    near, far = Scheme("migrate_hot", target_nid=1), Scheme("migrate_cold", dests=[Dest(0, 1)])
    trees = to_schemes_document([Scheme("cold"), near, far])
    assert [tree.get("target_nid", "-") for tree in trees] == ["-", 1, None]
    assert trees[2]["dests"] == [{"id": 0, "weight": 1}]
    assert load_schemes(trees) == (Scheme("cold"), near, far)


def test_own_keys() -> None:
    """Name and snapshots, which damo has no keys for, survive in keys of ours."""
    named = Scheme(name="my reclaim", max_nr_snapshots=1000)
    (tree,) = to_schemes_document([named])
    assert (tree["name"], tree["max_nr_snapshots"]) == ("my reclaim", "1,000")
    assert load_schemes([tree]) == (named,)


def test_own_functions_are_named() -> None:
    """Functions of the user are written by name, which nobody can load."""

    def mine() -> None: ...

    scheme = Scheme(mine, quotas=Quotas(goals=[Goal(mine, 1)]), watermarks=Watermarks(mine))
    (tree,) = to_schemes_document([scheme])
    name = mine.__qualname__
    assert tree["action"] == tree["quotas"]["goals"][0]["metric"] == name
    assert tree["watermarks"]["metric"] == name
    assert len(problems_of([tree])) == 3


@pytest.mark.parametrize(
    "tree",
    [
        {"stats": {"nr_tried": 5}, "tried_regions": [1]},
        {"access_pattern": {**RECLAIM_TREE["access_pattern"], "age_unit": "usec"}},
    ],
)
def test_ignored(tree: dict[str, Any]) -> None:
    """The state of a running DAMON and units beside the bounds say nothing."""
    assert load_schemes([{**RECLAIM_TREE, **tree}]) == (RECLAIM,)


def test_older_goals() -> None:
    """A goal in the words of older releases is what the user says."""
    old = {"target_value_bp": "10,000", "current_value_bp": "500"}
    (scheme,) = load_schemes(changed("quotas", "goals", to=[old]))
    assert scheme.quotas.goals == (Goal("user_input", 10_000, 500),)


def test_older_filters() -> None:
    """A filter may say filter_pass for allow, as in older releases."""
    old = {"filter_type": "young", "matching": True, "filter_pass": True}
    (scheme,) = load_schemes(changed("filters", to=[old]))
    assert scheme.filters == (Filter("young", allow=True),)


@given(schemes_of(), st.booleans(), st.booleans())
def test_comes_back(scheme: Scheme, raw: bool, omit_defaults: bool) -> None:
    """What is written is read back as it was."""
    tree = to_schemes_document([scheme], raw=raw, omit_defaults=omit_defaults)
    (back,) = load_schemes(json.dumps(tree))
    if omit_defaults and not scheme.quotas.is_set:
        scheme = scheme.model_copy(update={"quotas": back.quotas})
    assert back == scheme


def test_raw_is_exact() -> None:
    """Raw documents keep what human forms round."""
    odd = Scheme("cold", {"sz_bytes": (1_000_001, "max")}, 1_234_567, {"sz_bytes": 10**8})
    assert load_schemes(to_schemes_document([odd], raw=True)) == (odd,)
    assert load_schemes(to_schemes_document([odd])) != (odd,)


@pytest.mark.parametrize("raw", [False, True])
def test_damo_reads_it(tmp_path: Path, raw: bool) -> None:
    """Real damo reads the schemes that we write, and we read what it writes then."""
    many = Scheme("migrate_hot", filters=ALL_FILTERS, dests=[Dest(0, 1), Dest(1, 3)])
    counts = Scheme(
        "cold", {"nr_accesses": ("3 samples", "max"), "age": ("5 aggr_intervals", "max")}
    )
    schemes = (RECLAIM, many, counts, Scheme("stat", name="mine", max_nr_snapshots=3))
    back = through_damo(tmp_path, "--schemes", to_schemes_document(schemes, raw=raw))
    (kdamond,) = load_document(back)
    assert kdamond.contexts[0].schemes[:3] == schemes[:3]
    tree = back["kdamonds"][0]["contexts"][0]["schemes"][0]
    # An empty path is what damo makes of none.
    assert [tree] == changed("filters", 0, "memcg_path", to="")


def test_damo_reads_contexts(tmp_path: Path) -> None:
    """Real damo reads contexts with schemes, and writes our document back."""
    kdamond = Kdamond([Context("paddr", [{"regions": "4G-8G"}], schemes=[RECLAIM])])
    back = through_damo(tmp_path, "--kdamonds", to_document([kdamond]))
    assert load_document(back) == (kdamond,)


@pytest.mark.parametrize("name", ["darc1.json", "ethp.json", "prcl-canneal.json"])
def test_real_documents(shared: Path, name: str) -> None:
    """The schemes of DAMON's performance tests are read, and come back from what we write."""
    schemes = load_schemes_file(shared / "traces" / "schemes" / name)
    assert load_schemes(to_schemes_document(schemes, raw=True)) == schemes
    assert {scheme.action for scheme in schemes} <= {"pageout", "hugepage", "nohugepage"}


def test_yaml_file(tmp_path: Path) -> None:
    """Schemes are read from a YAML file."""
    pytest.importorskip("yaml")
    path = tmp_path / "schemes.yaml"
    path.write_text("- action: pageout\n- {action: cold}\n")
    assert [scheme.action for scheme in load_schemes_file(path)] == ["pageout", "cold"]
