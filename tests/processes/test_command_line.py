"""What a command line runs, whoever runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from damon_async.processes.command_line import Command, commands_of


def runs(*words: str) -> list[list[str]]:
    """Return what a command line may be said to run."""
    return [[command.name, *command.words[1:]] for command in commands_of(words)]


@pytest.mark.parametrize(
    "words",
    [
        ["masim", "a.cfg"],
        ["/usr/bin/masim", "a.cfg"],
        ["./masim", "a.cfg"],
        ["python3", "masim", "a.cfg"],
        ["/usr/bin/python3.12", "-u", "./masim", "a.cfg"],
        ["pypy3", "-m", "masim", "a.cfg"],
        ["sh", "masim", "a.cfg"],
        ["sh", "-c", "masim a.cfg"],
        ["/bin/bash", "-ec", "exec ./masim 'a.cfg'"],
        ["-bash", "-c", "masim a.cfg"],
        ["sh", "-c", "A=1 B= masim a.cfg"],
        ["sh", "-c", "masim a.cfg; echo done"],
        ["sh", "-c", "masim a.cfg>/dev/null"],
        ["sh", "-c", "masim a.cfg && true || false"],
        ["bash", "-c", "masim a.cfg|cat"],
        ["env", "-i", "A=1", "masim", "a.cfg"],
        ["nohup", "nice", "masim", "a.cfg"],
        ["setsid", "sh", "-c", "python3 ./masim a.cfg"],
    ],
    ids=" ".join,
)
def test_the_program_is_found(words: list[str]) -> None:
    """The last of what a command line runs is the program and its arguments."""
    assert runs(*words)[-1] == ["masim", "a.cfg"]


@pytest.mark.parametrize(
    "words",
    [
        ["sh"],
        ["sh", "-c"],
        ["sh", "-c", ""],
        ["sh", "-c", "masim 'a.cfg"],
        ["sh", "-e", "-x"],
        ["python3"],
        ["python3", "-c", "masim"],
        ["perl", "-e", "masim"],
        ["env", "-i", "A=1"],
        ["pythonic", "masim"],
        ["python3", "-u"],
    ],
    ids=" ".join,
)
def test_some_run_nothing_else(words: list[str]) -> None:
    """An interpreter that reads no file, and scripts that make no sense, are themselves."""
    assert runs(*words) == [words]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("redis-server *:6379", "redis-server"),
        ("nginx: worker process", "nginx"),
        ("/usr/sbin/sshd -D [listener]", "sshd"),
        ("-bash", "bash"),
    ],
)
def test_titles(title: str, name: str) -> None:
    """Of a title that a program gave itself, the first word is the program."""
    assert runs(title) == [[name]]


def test_nothing_runs_nothing() -> None:
    """Kernel threads have no command line, and nothing comes of an empty one."""
    assert runs() == []
    assert runs("") == []


def test_from_the_outside_in() -> None:
    """Each of the programs that run each other is told."""
    names = [words[0] for words in runs("env", "bash", "-c", "exec python3 a.py")]
    assert names == ["env", "bash", "exec", "python3", "a.py"]


def test_rings_end() -> None:
    """However many programs run each other, the search ends."""
    assert 1 < len(runs(*["env"] * 1000)) < 20


@given(words=st.lists(st.text(max_size=20), max_size=5), shell=st.text(max_size=30))
def test_any_words(words: list[str], shell: str) -> None:
    """Whatever stands in a command line, looking through it raises nothing."""
    for line in (words, ["sh", "-c", shell], ["python3", *words], ["env", *words]):
        assert all(command.words for command in commands_of(line))


def test_the_folder_is_kept() -> None:
    """Each program has the working directory of the first."""
    folders = {command.folder for command in commands_of(["env", "sh", "a.sh"], Path("/w"))}
    assert folders == {Path("/w")}
    assert next(commands_of(["a"])) == Command(("a",), None)
