"""`damon-async report damon`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from damon_async.params.monitoring import Context, Kdamond, Target
from damon_async.params.schemes import Scheme
from damon_async.records.status import KdamondStatus, SchemeCounters, write_status

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def _kept(cli: Cli) -> None:
    """Leave a file of kdamonds where one is looked for."""
    del cli
    context = Context("vaddr", [Target(pid=1)], schemes=[Scheme("pageout")])
    status = KdamondStatus(Kdamond([context]), ((SchemeCounters(nr_tried=7, sz_tried=8192),),))
    write_status("damon.data.kdamonds", [status])


def test_usual_file(cli: Cli) -> None:
    """Without a name, what lies beside the usual record is shown."""
    outcome = cli("report", "damon")

    assert outcome.code == 0
    assert outcome.out.startswith("kdamond 0\n    state: off\n    context 0\n        ops: vaddr\n")
    assert "                tried 7 times (8.000 KiB)\n" in outcome.out


def test_counters_only(cli: Cli) -> None:
    """Counters may be had alone, or some of them."""
    sentences = cli("report", "damon", "--damos_stats").out
    fields = cli("report", "damon", "--damos_stat_fields", "sz_tried", "qt_exceeds", "--raw").out

    assert "tried 7 times" in sentences
    assert "ops" not in sentences
    assert fields.splitlines()[-2:] == [
        "            sz_tried: 8192",
        "            qt_exceeds: 0",
    ]


def test_summary(cli: Cli) -> None:
    """A kdamond is one line: index, state, process, and how often counters are renewed."""
    running = KdamondStatus(Kdamond([Context("vaddr")], refresh_ms=1000), (), "on", 38)
    write_status("two.kdamonds", [running, KdamondStatus(Kdamond([Context("vaddr")]))])
    words = ("report", "damon", "--kdamonds_summary", "-i", "two.kdamonds")
    text = "state: on, pid: 38, stats refresh per: 1 s"

    assert cli(*words).out == f"0\t{text}\n1\tstate: off\n"
    assert cli(*words, "--raw").out.splitlines()[0] == f"0\t{text.replace('1 s', '1000')}"
    assert json.loads(cli(*words, "--format", "json").out) == [text, "state: off"]
    assert yaml.safe_load(cli(*words, "--format", "yaml").out) == [text, "state: off"]


def test_summary_of_the_usual_file(cli: Cli) -> None:
    """Without other options, the summary is of what lies beside the usual record."""
    assert cli("report", "damon", "--kdamonds_summary").out == "0\tstate: off\n"


def test_no_cpu_usage_in_files(cli: Cli) -> None:
    """What CPU kdamonds use is in no file; the line says who can tell."""
    outcome = cli("report", "damon", "--show_cpu_usage")

    assert outcome.code == 2
    assert outcome.line.startswith("damon-async: --show_cpu_usage: a file does not say what CPU")
    assert "damon-async sandbox" in outcome.line


def test_parameters_only(cli: Cli) -> None:
    """Parameters may be had alone."""
    assert "tried" not in cli("report", "damon", "--damon_params").out


def test_documents(cli: Cli) -> None:
    """JSON and YAML hold the same list; parameters alone are a parameter document."""
    tree = json.loads(cli("report", "damon", "--format", "json", "--raw").out)
    assert tree == yaml.safe_load(cli("report", "damon", "--format", "yaml", "--raw").out)
    assert tree[0]["contexts"][0]["schemes"][0]["stats"]["nr_tried"] == 7

    whole = json.loads(cli("report", "damon", "--format", "json", "--damon_params").out)
    words = ("report", "damon", "--format", "json", "--damon_params_omit_defaults")
    short = json.loads(cli(*words).out)["kdamonds"][0]["contexts"][0]
    assert "stats" not in whole["kdamonds"][0]["contexts"][0]["schemes"][0]
    assert "nr_regions" in whole["kdamonds"][0]["contexts"][0]
    assert "nr_regions" not in short


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("-i", "no.data"), "no.data: No such file or directory"),
        (("--damos_stat_fields", "joy"), "--damos_stat_fields joy: no such counter; choose of nr"),
        (("--format", "poem"), 'Invalid value "poem" for --format'),
    ],
)
def test_bad_input(cli: Cli, words: tuple[str, ...], line: str) -> None:
    """What cannot be shown is told in one line."""
    outcome = cli("report", "damon", *words)
    assert outcome.code == 2
    assert line in outcome.err


def test_nothing_recorded_yet(cli: Cli) -> None:
    """Where there is nothing yet, the line says how to make it."""
    Path("damon.data.kdamonds").unlink()
    assert "make one with damon-async record" in cli("report", "damon").line
