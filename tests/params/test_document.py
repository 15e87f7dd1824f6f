"""Parameter documents: damo's shapes, read and written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import (
    InputFileError,
    InvalidError,
    MissingExtraError,
    ParametersError,
)
from damon_async.params.document import (
    DEFAULT_INTERVALS,
    load_document,
    load_document_file,
    to_document,
)
from damon_async.params.monitoring import (
    AddressRange,
    Context,
    Intervals,
    IntervalsGoal,
    Kdamond,
    NrRegions,
    Ops,
    Target,
)

PHYSICAL = Kdamond(
    [
        Context(
            "paddr",
            [Target(regions="4G-8G")],
            Intervals("5ms", "100ms", "1s", IntervalsGoal("4%", 3, "5ms", "10s")),
        )
    ],
    refresh_ms=1000,
)
"""The example of spec damo 2, without its scheme."""

PHYSICAL_TREE: dict[str, Any] = {
    "refresh_ms": 1000,
    "contexts": [
        {
            "ops": "paddr",
            "addr_unit": "1 B",
            "targets": [
                {
                    "pid": None,
                    "obsolete": False,
                    "regions": [{"start": "4,294,967,296", "end": "8,589,934,592"}],
                }
            ],
            "intervals": {
                "sample_us": "5 ms",
                "aggr_us": "100 ms",
                "ops_update_us": "1 s",
                "intervals_goal": {
                    "access_bp": "4 %",
                    "aggrs": "3",
                    "min_sample_us": "5 ms",
                    "max_sample_us": "10 s",
                },
            },
            "nr_regions": {"min": "10", "max": "1,000"},
            "probes": [],
            "pause": False,
            "schemes": [],
        }
    ],
}
"""The same as damo prints it."""

SMALLEST: dict[str, Any] = {"contexts": [{"ops": "vaddr", "targets": []}]}
"""All that a kdamond must have."""

SAMPLE_CONTROL = {
    "primitives_enabled": {"page_table": True, "page_fault": False},
    "sample_filters": [],
}


def with_context(**keys: object) -> dict[str, Any]:
    """Return the smallest document with more *keys* in its context."""
    return {"kdamonds": [{"contexts": [{"ops": "vaddr", "targets": [], **keys}]}]}


def problems_of(source: object) -> list[str]:
    """Return what *source* is refused for, without the common beginning of paths."""
    with pytest.raises(ParametersError, match=r".") as caught:
        load_document(source)
    head = "kdamonds[0].contexts[0]."
    return [str(problem).removeprefix(head) for problem in caught.value.problems]


def through_damo(kdamonds: list[Kdamond], folder: Path, *, raw: bool) -> dict[str, Any]:
    """Have real damo read a document that we wrote, and return what it writes."""
    damo = shutil.which("damo", path=str(Path(sys.executable).parent))
    if damo is None:
        pytest.skip("needs the damo tool")
    path = folder / "kdamonds.json"
    path.write_text(json.dumps(to_document(kdamonds, raw=raw)))
    command = [damo, "args", "damon", "--kdamonds", str(path), "--format", "json"]
    command += ["--raw"] * raw
    # On a kernel without DAMON it says so on stderr, and prints nevertheless.
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    tree: dict[str, Any] = json.loads(done.stdout)
    return tree


@st.composite
def kdamonds_of(draw: st.DrawFn) -> Kdamond:
    """Draw a kdamond of whole pages and milliseconds, which human forms print exactly."""
    cuts = sorted(draw(st.sets(st.integers(0, 2**40), max_size=8)))
    bounds = [4096 * cut for cut in cuts[: len(cuts) // 2 * 2]]
    regions = [AddressRange(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
    sample_ms = draw(st.integers(1, 999))
    goal = draw(st.just(IntervalsGoal()) | st.just(IntervalsGoal(400, 3, "1 ms", "999 ms")))
    aggr_ms, update_ms = sample_ms * draw(st.integers(1, 99)), draw(st.integers(0, 59_999))
    low = draw(st.integers(3, 10**6))
    context = Context(
        draw(st.sampled_from([Ops.VADDR, Ops.FVADDR])),
        [Target(pid=draw(st.none() | st.integers(1, 2**22)), regions=regions)],
        Intervals(sample_ms * 1000, aggr_ms * 1000, update_ms * 1000, goal),
        NrRegions(low, low + draw(st.integers(0, 10**6))),
        pause=draw(st.booleans()),
    )
    return Kdamond([context], refresh_ms=draw(st.integers(0, 10**6)))


def test_write() -> None:
    """A document is written in damo's shapes and human forms."""
    assert to_document([PHYSICAL]) == {"kdamonds": [PHYSICAL_TREE]}


def test_write_raw() -> None:
    """A raw document holds plain numbers, as texts."""
    context = to_document([PHYSICAL], raw=True)["kdamonds"][0]["contexts"][0]
    assert context["intervals"]["aggr_us"] == "100000"
    assert context["intervals"]["intervals_goal"]["access_bp"] == "400"
    assert context["targets"][0]["regions"] == [{"start": "4294967296", "end": "8589934592"}]
    assert (context["addr_unit"], context["nr_regions"]["max"]) == ("1", "1000")


def test_read() -> None:
    """What damo prints is read, from text, bytes and trees."""
    text = json.dumps({"kdamonds": [PHYSICAL_TREE]})
    for source in (text, text.encode(), json.loads(text), [PHYSICAL_TREE]):
        assert load_document(source) == (PHYSICAL,)


def test_read_numbers() -> None:
    """Numbers may stand wherever texts may."""
    tree = json.loads(json.dumps(PHYSICAL_TREE))
    tree["contexts"][0]["intervals"]["sample_us"] = 5000
    tree["contexts"][0]["targets"][0]["regions"] = [{"start": 2**32, "end": 2**33}]
    assert load_document([tree]) == (PHYSICAL,)


def test_defaults_are_damos() -> None:
    """A document that gives no intervals means damo's, whose update interval is a second."""
    (kdamond,) = load_document([SMALLEST])
    assert kdamond == Kdamond([Context(Ops.VADDR, intervals=DEFAULT_INTERVALS)])
    assert kdamond.contexts[0].intervals.update_us == 1_000_000


def test_omit_defaults() -> None:
    """What equals damo's defaults may be left out, and comes back when it is read."""
    plain = Kdamond([Context(intervals=DEFAULT_INTERVALS)])
    (short,) = to_document([plain], omit_defaults=True)["kdamonds"]
    assert not {"intervals", "nr_regions"} & short["contexts"][0].keys()
    assert load_document([short]) == (plain,)


def test_own_defaults_are_not_omitted() -> None:
    """The kernel's update interval is no default of documents, so it is written."""
    (short,) = to_document([Kdamond([Context()])], omit_defaults=True)["kdamonds"]
    assert short["contexts"][0]["intervals"]["ops_update_us"] == "1 m"


def test_state_is_ignored() -> None:
    """The state of a running DAMON may stand in a document and says nothing."""
    assert load_document([{**SMALLEST, "state": "on", "pid": 42}]) == load_document([SMALLEST])


def test_idle_keys() -> None:
    """Features that we lack may be mentioned as long as they are not used."""
    keys = {"schemes": [], "probes": [], "sample_control": SAMPLE_CONTROL}
    assert load_document(with_context(**keys)) == load_document([SMALLEST])


@pytest.mark.parametrize(
    ("key", "value"),
    [("probes", [{}]), ("sample_control", {})],
)
def test_not_supported(key: str, value: object) -> None:
    """Features that we lack are refused, never dropped."""
    assert problems_of(with_context(**{key: value})) == [
        f"{key}: not supported yet; leave it out",
    ]


def test_spaces_are_no_text() -> None:
    """A document cannot name a space."""
    target: dict[str, object] = {"pid": None, "regions": [], "space": "stairs.cfg"}
    assert problems_of(with_context(targets=[target])) == [
        "targets[0].space: not supported yet; leave it out"
    ]


def test_every_mistake_at_once() -> None:
    """All mistakes of a document are told together, once each, with their paths."""
    source = with_context(
        targets=[{"pid": "x"}, {"pid": None, "regions": [{"start": "8K", "end": "4K"}, {}]}, 7],
        intervals={"sample_us": "5 parsecs", "aggr_us": 1},
        nr_regions={"min": 1, "max": 0},
        schemes=[1],
        colour="red",
    )
    paths = sorted(problem.partition(":")[0] for problem in problems_of(source))
    assert paths == [
        "colour",
        "intervals.ops_update_us",
        "intervals.sample_us",
        "nr_regions.max",
        "nr_regions.min",
        "schemes[0]",
        "targets[0].pid",
        "targets[0].regions",
        "targets[1].regions[0]",
        "targets[1].regions[1].end",
        "targets[1].regions[1].start",
        "targets[2]",
    ]


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ({}, "kdamonds: missing, but required"),
        ({"kdamonds": 5}, "kdamonds: must be a list"),
        ({"kdamonds": [], "more": 1}, "more: no such parameter"),
        ([7], r"kdamonds\[0\]: must be an object with named values"),
        ([{}], r"kdamonds\[0\].contexts: missing, but required"),
        ([{"contexts": []}], r"kdamonds\[0\].contexts: a kdamond runs one context, not 0"),
        ({5: 6, "kdamonds": []}, "5: no such parameter"),
        (None, "not a parameter document; expected an object with the key kdamonds"),
        ("7", "not a parameter document; expected an object with the key kdamonds"),
        ("{", "Expecting property name enclosed in double quotes at line 1, column 2"),
        ("[" * 100_000, "not a parameter document: nested too deeply"),
        (b"\xff\xfe\xfa", "not a parameter document; expected UTF-8 text"),
    ],
)
def test_refused(source: object, wrong: str) -> None:
    """What is no document at all is refused with what one would be."""
    with pytest.raises(InvalidError, match=wrong):
        load_document(source)


@pytest.mark.parametrize(
    ("key", "inner", "required"),
    [
        ("intervals", {}, ["sample_us", "aggr_us", "ops_update_us"]),
        ("nr_regions", {}, ["min", "max"]),
        ("targets", [{}], ["pid", "regions"]),
    ],
)
def test_required(key: str, inner: object, required: list[str]) -> None:
    """What damo requires is required, even where our own models have defaults."""
    path = f"{key}[0]" if isinstance(inner, list) else key
    expected = [f"{path}.{name}: missing, but required" for name in required]
    assert problems_of(with_context(**{key: inner})) == expected


def test_goal_is_whole_or_absent() -> None:
    """An intervals goal needs all its keys."""
    intervals = {"sample_us": 1, "aggr_us": 1, "ops_update_us": 1, "intervals_goal": {"aggrs": 0}}
    assert len(problems_of(with_context(intervals=intervals))) == 3


def test_min_region_sz_survives() -> None:
    """A smallest region that damo does not know of is written if it is not a page."""
    small, usual = (Kdamond([Context(min_region_sz=size)]) for size in (64, 4096))
    assert "min_region_sz" not in json.dumps(to_document([usual]))
    assert load_document(to_document([small])) == (small,)


def test_own_operations_are_named() -> None:
    """An operations set of one's own is written by the name of its class."""

    class Slabs:
        ends_with_targets = False
        is_pure = lifetime_us = ranges = accessed = print

    (tree,) = to_document([Kdamond([Context(Slabs())])])["kdamonds"]
    assert tree["contexts"][0]["ops"] == "Slabs"


@given(kdamonds_of(), st.booleans(), st.booleans())
def test_comes_back(kdamond: Kdamond, raw: bool, omit_defaults: bool) -> None:
    """What is written is read back as it was."""
    tree = to_document([kdamond], raw=raw, omit_defaults=omit_defaults)
    assert load_document(json.dumps(tree)) == (kdamond,)


def test_raw_is_exact() -> None:
    """Raw documents keep what human forms round."""
    odd = Kdamond([Context(intervals=Intervals(1_000_001, 10_000_019, 3_600_000_001))])
    assert load_document(to_document([odd], raw=True)) == (odd,)
    assert load_document(to_document([odd])) != (odd,)


@pytest.mark.parametrize("raw", [False, True])
def test_damo_reads_it(tmp_path: Path, raw: bool) -> None:
    """Real damo reads what we write, writes the same again, and we read that."""
    paused = Kdamond([Context("fvaddr", [Target(pid=1, regions="1M-2M")], pause=True)])
    kdamonds = [PHYSICAL, paused, Kdamond([Context(min_region_sz=64)])]
    back = through_damo(kdamonds, tmp_path, raw=raw)
    assert load_document(back)[:2] == (PHYSICAL, paused)
    if not raw:
        del back["kdamonds"][0]["contexts"][0]["sample_control"]
        assert back["kdamonds"][0] == PHYSICAL_TREE


def test_file(tmp_path: Path) -> None:
    """A document is read from a JSON file, whatever its name ends in."""
    path = tmp_path / "damon.data.kdamonds"
    path.write_text(json.dumps([PHYSICAL_TREE]))
    assert load_document_file(path) == (PHYSICAL,)


def test_yaml_file(tmp_path: Path) -> None:
    """A document is read from a YAML file."""
    pytest.importorskip("yaml")
    path = tmp_path / "kdamonds.yaml"
    path.write_text("kdamonds:\n- contexts:\n  - ops: vaddr\n    targets: []\n")
    assert load_document_file(path) == load_document([SMALLEST])


def test_yaml_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyYAML the error names the extra."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "kdamonds.yml"
    path.write_text("kdamonds: []")
    with pytest.raises(MissingExtraError, match="YAML parameter documents needs the 'yaml' extra"):
        load_document_file(path)


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("a.json", b"{", "a.json: not a parameter document: .* at line 1, column 2"),
        ("a.json", b"\xff", "a.json: not a parameter document; expected UTF-8 text"),
        ("a.json", b"[{}]", r"a.json: kdamonds\[0\].contexts: missing, but required"),
        ("a.yaml", b"a: [", r"a.yaml: not a parameter document: while parsing.*line 1"),
        ("a.yaml", b"7", "a.yaml: not a parameter document; expected an object"),
    ],
)
def test_bad_file(tmp_path: Path, name: str, text: bytes, wrong: str) -> None:
    """A bad file is one line that begins with its path."""
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    (tmp_path / name).write_bytes(text)
    with pytest.raises(InputFileError, match=wrong) as caught:
        load_document_file(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is told as such."""
    with pytest.raises(InputFileError, match=r"none\.json: No such file or directory"):
        load_document_file(tmp_path / "none.json")
