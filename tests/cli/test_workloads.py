"""`damon-async workloads`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from damon_async.spaces.trace_formats import TRACE_FORMS
from damon_async.spaces.workload import GENERATORS, open_workload

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

FORMS = ("masim", *TRACE_FORMS, "damon")


def test_everything_is_listed(cli: Cli) -> None:
    """The overview has each generator and each form of files, in 80 columns."""
    outcome = cli("workloads")

    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    assert max(map(len, lines)) <= 80
    names = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert names[: len(GENERATORS) + len(FORMS)] == [*GENERATORS, *FORMS]


@pytest.mark.parametrize("name", [*GENERATORS, *FORMS])
def test_every_workload_tells_its_options(cli: Cli, name: str) -> None:
    """Each has a sentence, a form and options with a text."""
    outcome = cli("workloads", name)

    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert lines[0].endswith((".", ","))
    assert any(line.startswith(f"{name}:") for line in lines)
    assert "  page_size" in outcome.out
    assert "**" not in outcome.out.replace("k ** -theta", "")


def test_defaults_can_be_typed_again(cli: Cli) -> None:
    """What is printed as a default is taken as a value."""
    lines = cli("workloads", "diurnal").out.splitlines()
    text = " ".join(line.strip() for line in lines)

    options = []
    for name in ("size", "page_size", "duration", "layout", "rate", "day", "night", "period"):
        _, _, behind = text.partition(f"{name}  ")
        default = behind.partition("[default: ")[2].partition("]")[0]
        options.append(f"{name}={default}")

    assert "size=1G" in options
    assert "period=24 h" in options
    assert open_workload(f"diurnal:{','.join(options)}").mappings(0)


def test_forms_tell_their_lines(cli: Cli) -> None:
    """A trace format says what a line looks like, and what its clock counts."""
    out = cli("workloads", "lackey").out

    assert "A line: I|L|S|M ADDRESS,SIZE" in out
    assert "Its clock counts instructions." in out


def test_unknown_name(cli: Cli) -> None:
    """An unknown name is told together with those there are."""
    outcome = cli("workloads", "zipfian")

    assert outcome.code == 2
    assert outcome.line.startswith("damon-async: no workload is called 'zipfian'; there are ")


def test_examples_are_possible(cli: Cli) -> None:
    """The examples name commands and options that there are."""
    out = cli("workloads").out
    commands = [line.split() for line in out.splitlines() if line.startswith("  damon-async ")]

    assert len(commands) >= 2
    for _, *words in commands:
        assert cli(*words, "--help").code == 0
