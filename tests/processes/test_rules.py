"""From command lines to workloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from damon_async.errors import InvalidError
from damon_async.processes.command_line import commands_of
from damon_async.processes.rules import Rule, Rules, parse_rule
from damon_async.processes.twin import Twin


def twin(rules: Rules, *words: str) -> Twin | None:
    """Return what a command line stands for."""
    return rules.twin(list(commands_of(words, Path("/w"))))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("redis-server=zipf:size=1G,theta=0.99", Rule("redis-server", "zipf:size=1G,theta=0.99")),
        (" a* = b.cfg ", Rule("a*", "b.cfg")),
    ],
)
def test_rules_are_read(text: str, rule: Rule) -> None:
    """A rule is a name and a workload; the workload may hold more equal signs."""
    assert parse_rule(text) == rule


@pytest.mark.parametrize("text", ["", "redis", "redis=", "=zipf", " = "])
def test_half_a_rule_is_refused(text: str) -> None:
    """A rule without a name or without a workload is none."""
    with pytest.raises(InvalidError, match="is not a rule; expected NAME=WORKLOAD"):
        parse_rule(text)


@pytest.mark.parametrize(
    ("pattern", "words", "is_meant"),
    [
        ("redis-server", ["/usr/bin/redis-server", "--port", "1"], True),
        ("redis-server", ["redis-server *:6379"], True),
        ("redis-*", ["redis-server"], True),
        ("redis", ["redis-server"], False),
        ("train.py", ["python3", "src/train.py"], True),
        ("python3*", ["python3.12", "src/train.py"], True),
        ("Redis-server", ["redis-server"], False),
        ("sleep", ["sh", "-c", "sleep 5"], True),
        ("5", ["sleep", "5"], False),
    ],
)
def test_names_are_compared(pattern: str, words: list[str], is_meant: bool) -> None:
    """A rule is about programs of that name, also those that an interpreter runs."""
    found = twin(Rules([Rule(pattern, "zipf")]), *words)
    assert found == (Twin("zipf", is_repeated=True) if is_meant else None)


def test_the_first_rule_counts() -> None:
    """Of several rules about a program the first is taken, before those built in."""
    rules = Rules([Rule("m*", "zipf"), Rule("masim", "scan")])
    assert twin(rules, "masim", "a.cfg") == Twin("zipf")


def test_nobody_is_meant() -> None:
    """Without a rule about it, and without a command line, there is nothing."""
    assert twin(Rules(), "sleep", "5") is None
    assert Rules([Rule("*", "zipf")]).twin([]) is None


@pytest.mark.parametrize(
    "words",
    [
        ["masim", "a.cfg", "-c", "2"],
        ["python3", "./masim.py", "a.cfg", "-c", "2"],
        ["sh", "-c", "masim a.cfg -c 2 > log"],
        ["/venv/bin/damon-async", "masim", "a.cfg", "-c", "2"],
        ["/usr/bin/python3", "/venv/bin/damon-async", "masim", "a.cfg", "-c", "2"],
        ["python3", "-m", "damon_async", "masim", "a.cfg", "-c", "2"],
    ],
    ids=" ".join,
)
def test_masim(words: list[str]) -> None:
    """Masim is known by its name, and so is what stands in for it."""
    found = twin(Rules(), *words)
    assert found is not None
    assert found.spec.startswith("masim:/w/a.cfg,repeat=2,")
    assert not found.is_repeated


def test_our_other_commands_are_no_workloads() -> None:
    """Only one command of ours stands for memory."""
    assert twin(Rules(), "damon-async", "record", "a.cfg") is None
    assert twin(Rules(), "damon-async") is None


def test_access_memory() -> None:
    """The selftests' programs are known by name, and their numbers are read."""
    found = twin(Rules(), "./access_memory", "2", "10485760", "2000")
    assert found == Twin("access_memory 2 10485760 2000", is_repeated=False)
    assert found.open().lifetime_us == 4_000_000


@pytest.mark.parametrize("words", [["14", "10485760"], ["14", "10485760", "2000"]])
def test_access_memory_even(words: list[str]) -> None:
    """The one that accesses every second region goes on for ever."""
    found = twin(Rules(), "access_memory_even", *words)
    assert found == Twin("access_memory_even 14 10485760", is_repeated=False)
    assert found.open().lifetime_us is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["access_memory", "2", "10"], "access_memory takes 3 numbers, not 2"),
        (["access_memory_even"], "access_memory_even takes 2 numbers, not 0"),
        (["access_memory", "two", "10", "10"], "access_memory: nr_regions: 'two' is not a number"),
        (["masim", "--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_arguments_that_make_no_sense(words: list[str], message: str) -> None:
    """A program that is known, but not its arguments, is an error that says so."""
    with pytest.raises(InvalidError, match=message):
        twin(Rules(), *words)


def test_repr_lists_the_rules() -> None:
    """The rules of the user can be seen."""
    assert repr(Rules([Rule("a", "zipf")])) == "<Rules ['a=zipf']>"
