"""`damon-async schemes`, inside the test's own process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from damon_async.params.document import load_document
from damon_async.records.files import read_records
from damon_async.records.status import read_status
from damon_async.spaces.traces import demo_trace_path

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

SPEC = "hotspot:size=16M,hot=8M,at=0"
QUICK = ("--timeout", "3", "--sample", "20ms")
RECLAIM = (
    "--damos_action",
    "pageout",
    "--damos_access_rate",
    "0%",
    "0%",
    "--damos_age",
    "1s",
    "max",
)

DOCUMENT = """[{
  "action": "pageout",
  "access_pattern": {"sz_bytes": {"min": "4K", "max": "max"},
                     "nr_accesses": {"min": "0 %", "max": "0 %"},
                     "age": {"min": "1 s", "max": "max"}}
}]"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Return a file with one scheme."""
    path = tmp_path / "reclaim.json"
    path.write_text(DOCUMENT)
    return path


def row(text: str, label: str) -> list[str]:
    """Return the cells of a line of the table."""
    (line,) = [line for line in text.splitlines() if line.startswith(label)]
    return line.removeprefix(label).replace("MiB", "").replace("%", "").split()


def test_documents_side_by_side(cli: Cli, document: Path) -> None:
    """Every document has a column beside the world left alone."""
    outcome = cli("schemes", SPEC, "--schemes", document, "--schemes", DOCUMENT, *QUICK)

    assert outcome.code == 0
    assert outcome.out.splitlines()[0].split() == ["no", "schemes", "reclaim.json", "schemes", "2"]
    alone, one, two = row(outcome.out, "memory in use, at the end")
    assert float(alone) > 16
    assert one == two
    assert 8 <= float(one) < 10
    assert row(outcome.out, "memory saved")[0] == "-"
    assert float(row(outcome.out, "memory saved")[1]) > 20
    assert "scheme 0, pageout" in outcome.out


def test_options_make_a_scheme(cli: Cli, document: Path) -> None:
    """Options do what a document that says the same does."""
    outcome = cli("schemes", SPEC, "--schemes", document, *RECLAIM, *QUICK)

    _, _, file, options = row(outcome.out, "paged out by schemes")
    assert file == options != "0"
    assert "--damos_action pageout" in outcome.out


def test_json_has_everything(cli: Cli, document: Path) -> None:
    """On stdout, JSON stands alone and holds every run over time."""
    outcome = cli("schemes", SPEC, "--schemes", document, "--json", "-", *QUICK)

    tree = json.loads(outcome.out)
    (run,) = tree["runs"]
    assert tree["baseline"]["nr_refaults"] == tree["baseline"]["saved_share"] == 0
    assert run["name"] == "reclaim.json"
    assert run["schemes"][0]["stats"]["sz_applied"] == run["nr_paged_out"] * 4096
    assert len(run["timeline"]["time_us"]) == len(tree["baseline"]["timeline"]["time_us"])


def test_json_into_a_file(cli: Cli, document: Path) -> None:
    """In a file, JSON leaves stdout to the table."""
    outcome = cli("schemes", SPEC, "--schemes", document, "--json", "all.json", *QUICK)

    assert row(outcome.out, "refaults")
    assert json.loads(Path("all.json").read_text())["runs"]


def test_same_command_same_numbers(cli: Cli) -> None:
    """The result is a function of the command line."""
    words = ("schemes", "zipf:size=16M", *RECLAIM, *QUICK, "--seed", "3")
    assert cli(*words).out == cli(*words).out


def test_records_for_other_reports(cli: Cli, document: Path) -> None:
    """What monitors saw and schemes did is kept for reports, a record per document."""
    outcome = cli("schemes", SPEC, "--schemes", document, "--out", "kept", *QUICK)
    (record,) = read_records("kept/reclaim.json.data")
    (status,) = read_status("kept/reclaim.json.data.kdamonds")

    assert len(record.snapshots) == 30
    counters = status.counters_of(0, 0)
    assert counters is not None
    assert counters.sz_applied > 0
    assert sorted(path.name for path in Path("kept").iterdir()) == [
        "reclaim.json.data",
        "reclaim.json.data.kdamonds",
    ]
    (applied,) = [line for line in outcome.out.splitlines() if "applied" in line]
    assert f" {counters.sz_applied / 2**20:.3f} MiB in {counters.nr_applied} regions" in applied


def test_report_of_what_they_did(cli: Cli, document: Path) -> None:
    """The report of kdamonds reads what was kept, by the record's name or its own."""
    cli("schemes", SPEC, "--schemes", document, "--out", "kept", *QUICK)

    beside = cli("report", "damon", "-i", "kept/reclaim.json.data.kdamonds", "--damos_stats")
    assert beside.code == 0
    assert beside.out == cli("report", "damon", "-i", "kept/reclaim.json.data", "--damos_stats").out
    assert "tried 30 snapshots (max 0)" in beside.out


def test_picture(cli: Cli, document: Path) -> None:
    """A picture appears beside the table."""
    pytest.importorskip("matplotlib")
    outcome = cli("schemes", SPEC, "--schemes", document, "--output", "x.png", *QUICK)

    assert outcome.code == 0
    assert Path("x.png").read_bytes().startswith(b"\x89PNG")


def test_whole_parameter_document(cli: Cli) -> None:
    """A document that says how to monitor is followed, targets and all."""
    scheme = json.loads(DOCUMENT)[0]
    context = {
        "ops": "paddr",
        "targets": [{"pid": None, "regions": []}],
        "intervals": {"sample_us": "50 ms", "aggr_us": "200 ms", "ops_update_us": "1 s"},
        "schemes": [scheme],
    }
    text = json.dumps({"kdamonds": [{"contexts": [context]}]})
    outcome = cli("schemes", SPEC, "--schemes", text, "--timeout", "3", "--out", "kept")

    (status,) = read_status("kept/schemes_1.data.kdamonds")
    assert outcome.code == 0
    (kept,) = status.kdamond.contexts
    assert (kept.ops, kept.intervals.aggr_us) == ("paddr", 200_000)
    assert kept.schemes == load_document(text)[0].contexts[0].schemes


def test_physical_memory(cli: Cli) -> None:
    """On request, all memory of the machine is monitored as one."""
    both = ("--workload", SPEC, "--workload", "hotspot:size=16M,hot=1M,at=0")
    outcome = cli("schemes", *both, *RECLAIM, *QUICK, "--ops", "paddr", "--out", "kept")

    (record,) = read_records(next(Path("kept").glob("*.data")))
    assert outcome.code == 0
    assert record.snapshots[0].total_bytes > 32 * 2**20


def test_machine_with_little_memory(cli: Cli) -> None:
    """What does not fit is paged out to make room, and the programs wait."""
    outcome = cli("schemes", "uniform:size=16M", *RECLAIM, *QUICK, "--memory", "8M")

    assert float(row(outcome.out, "memory in use, at the end")[0]) == 8
    assert row(outcome.out, "paged out to make room")[0] != "0"


def test_tiers(cli: Cli) -> None:
    """With two nodes, what is cold can be moved to the slow one."""
    nodes = ("--node", "capacity=1G", "--node", "capacity=1G,latency_ns=400")
    move = ("--damos_action", "migrate_cold", "1", "--damos_access_rate", "0%", "0%")
    outcome = cli("schemes", SPEC, *nodes, *move, "--ops", "paddr", *QUICK)

    assert outcome.code == 0
    assert "scheme 0, migrate_cold" in outcome.out
    assert row(outcome.out, "memory saved")[1] == "0.0"


def test_traces_begin_empty(cli: Cli) -> None:
    """A trace shows all that a program does, so its memory is not there before."""
    words = ("schemes", str(demo_trace_path()), *RECLAIM, "--json", "-", "--timeout", "2")
    shown = json.loads(cli(*words).out)["baseline"]["timeline"]["resident_bytes"]
    assumed = json.loads(cli(*words, "--populated", "yes").out)["baseline"]["timeline"]

    assert shown[0] == 0 < shown[-1]
    assert assumed["resident_bytes"][0] > shown[-1]


def test_real_program_saves_and_pays(cli: Cli) -> None:
    """Proactive reclaim of a real program saves memory, and some of it comes back."""
    outcome = cli("schemes", str(demo_trace_path()), *RECLAIM, "--json", "-")
    (run,) = json.loads(outcome.out)["runs"]

    assert run["saved_share"] > 0.2
    assert run["nr_refaults"] > 0
    assert run["slowdown"] > 0


@pytest.mark.parametrize(
    "name", ["darc1.damos", "darc1.json", "ethp.damos", "ethp.json", "prcl-canneal.json"]
)
def test_canonical_documents(cli: Cli, shared: Path, name: str) -> None:
    """The schemes that everybody uses run on the workload that everybody uses."""
    stairs = shared / "traces" / "masim" / "stairs.cfg"
    document = shared / "traces" / "schemes" / name
    outcome = cli("schemes", "--workload", stairs, "--schemes", document, "--timeout", "20")

    assert outcome.code == 0
    assert name in outcome.out


def test_spec_trace_saves_and_pays(cli: Cli, shared: Path) -> None:
    """Proactive reclaim of a benchmark's trace saves memory, and some of it comes back."""
    trace = shared / "traces" / "spec" / "swim.trace.gz"
    document = shared / "traces" / "schemes" / "darc1.json"
    outcome = cli("schemes", "--workload", trace, "--schemes", document, "--json", "-")
    (run,) = json.loads(outcome.out)["runs"]

    assert run["saved_share"] > 0.5
    assert run["nr_refaults"] > 0


MISTAKES = """[
 {"action": "pageou", "apply_interval_us": "-1 s", "nonsense": 1,
  "access_pattern": {"sz_bytes": {"min": "8K", "max": "4K"}, "nr_accesses": {"min": "x", "max": "5 %"},
                     "age": {"min": "1 s"}},
  "quotas": {"time_ms": "2 s", "sz_bytes": "-1", "reset_interval_ms": "1 s",
             "weights": {"sz_permil": "?", "nr_accesses_permil": 0},
             "goals": [{"metric": "joy", "target_value": 1, "current_value": 0}]}},
 {"action": "migrate_hot",
  "watermarks": {"metric": "moon", "interval_us": 0, "high_permil": 1, "mid_permil": 2, "low_permil": 3}},
 {"action": "stat", "dests": [{"id": 0, "weight": 1}],
  "filters": [{"filter_type": "memcg", "matching": true}, {"filter_type": "anon", "matching": "perhaps"},
              {"filter_type": "taste", "matching": true}, {"filter_type": "addr", "matching": true,
               "address_range": {"start": 8, "end": 4}}, {"filter_type": "target"}]},
 {"action": "cold", "max_nr_snapshots": -1, "quotas": {"time_ms": 0, "sz_bytes": 0, "reset_interval_ms": "soon",
  "fail_charge_num": 3, "fail_charge_denom": 2,
  "weights": {"sz_permil": 0, "nr_accesses_permil": 0, "age_permil": "-1"}}}
]"""


def test_all_mistakes_at_once(cli: Cli, tmp_path: Path) -> None:
    """A file with twenty mistakes names them all, and nothing runs."""
    path = tmp_path / "wrong.json"
    path.write_text(MISTAKES)
    outcome = cli("schemes", SPEC, "--schemes", path, *QUICK, "--out", "kept")

    assert (outcome.code, outcome.out) == (2, "")
    number = int(outcome.line.split(" problems: ")[0].split()[-1])
    assert number >= 20
    for index in range(4):
        assert f"schemes[{index}]." in outcome.line
    assert not Path("kept").exists()


def test_mistakes_of_several_documents(cli: Cli, tmp_path: Path) -> None:
    """Every document is read before any of them is complained about."""
    (tmp_path / "one.json").write_text('[{"action": "a"}]')
    (tmp_path / "two.damos").write_text("4K max min min 5s max pageou")
    words = ("--schemes", "one.json", "--schemes", "two.damos", "--damos_action", "c")
    outcome = cli("schemes", SPEC, *words, *QUICK)

    assert outcome.code == 2
    assert "one.json: schemes[0].action: 'a' is not an action" in outcome.line
    assert "two.damos: line 1.action: 'pageou' is not an action" in outcome.line
    assert "action: 'c' is not an action" in outcome.line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "nothing to try: name schemes with --schemes, or give --damos_action"),
        (("--schemes", "[]"), "schemes 1 has no schemes, so there is nothing to try"),
        (("--schemes", "no.json"), "no.json: No such file or directory"),
        (
            (*RECLAIM, "--output", "x.txt"),
            "--output x.txt: the name of a picture ends in .png or .svg",
        ),
        (
            (*RECLAIM, "--memory", "1G", "--node", "capacity=1G"),
            "--memory and --node both say how much memory there is; leave out one",
        ),
        ((*RECLAIM, "--timeout", "0"), "0 ns are over before the first aggregation of 100 ms is"),
        ((*RECLAIM, "--costs", "tea_ns=1"), "tea_ns: no such option"),
        ((*RECLAIM, "--node", "capacity=x"), "capacity: 'x' is not a size"),
    ],
)
def test_bad_input_is_one_line(cli: Cli, words: tuple[str, ...], line: str) -> None:
    """What cannot be is told in one line before anything runs."""
    timeout = () if "--timeout" in words else ("--timeout", "1")
    outcome = cli("schemes", SPEC, *words, *timeout)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.line.startswith(f"damon-async: {line}")


def test_no_workload(cli: Cli) -> None:
    """Without a workload there is nothing to try schemes on."""
    assert "nothing to try schemes on" in cli("schemes", *RECLAIM).line


def test_endless_workload(cli: Cli) -> None:
    """A workload that never ends needs a timeout."""
    outcome = cli("schemes", SPEC, *RECLAIM)
    assert outcome.line == (
        f"damon-async: {SPEC} never ends: say how long to try, such as --timeout 60 (seconds)"
    )


def test_parameters_are_said_once(cli: Cli) -> None:
    """A whole document and monitoring options exclude each other."""
    scheme = json.loads(DOCUMENT)
    context = {"ops": "fvaddr", "targets": [{"pid": 1, "regions": []}], "schemes": scheme}
    text = json.dumps([{"contexts": [context]}])
    outcome = cli("schemes", SPEC, "--schemes", text, "--minr", "20", "--timeout", "1")

    assert outcome.line == "damon-async: schemes 1 holds all parameters; leave out --minr"


def test_targets_and_workloads_must_fit(cli: Cli) -> None:
    """A document with three targets cannot be tried on two workloads."""
    target = {"pid": 1, "regions": []}
    context = {"ops": "vaddr", "targets": [target] * 3, "schemes": json.loads(DOCUMENT)}
    text = json.dumps([{"contexts": [context]}])
    outcome = cli("schemes", SPEC, "--workload", SPEC, "--schemes", text, "--timeout", "1")

    assert outcome.line.startswith("damon-async: 2 workloads do not fit 3 targets")
