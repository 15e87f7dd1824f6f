"""The entry: every failure is one line and a code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from damon_async.cli import app, main as entry
from damon_async.errors import BusyError, InputFileError, InvalidError

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return a function that makes every command raise an exception."""

    def set_up(error: BaseException) -> None:
        def run(tokens: Sequence[str]) -> int:
            raise error

        monkeypatch.setattr(app, "run", run)

    return set_up


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InvalidError("a is not b"), 2, "a is not b"),
        (InputFileError("x.cfg", "no such region", 3), 2, "x.cfg, line 3: no such region"),
        (BusyError("start", "1 context is running"), 2, "cannot start: 1 context is running"),
        (FileNotFoundError(2, "No such file or directory", "x"), 2, "x: No such file or directory"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (OSError("nothing to say"), 2, "nothing to say"),
        (InvalidError("two\nlines"), 2, "two lines"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError("7 TiB"), 2, "not enough memory: 7 TiB"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "internal error: ZeroDivisionError: division by zero; --debug shows where",
        ),
        (KeyError(), 1, "internal error: KeyError: KeyError; --debug shows where"),
    ],
)
def test_failure_is_one_line_and_a_code(
    cli: Cli,
    failing: Callable[[BaseException], None],
    error: BaseException,
    code: int,
    line: str,
) -> None:
    """A failure prints one line on stderr, nothing on stdout, and has its own exit code."""
    failing(error)

    outcome = cli("record")

    assert (outcome.code, outcome.out, outcome.line) == (code, "", f"damon-async: {line}")


@pytest.mark.parametrize("error", [InvalidError("wrong"), ZeroDivisionError("bug")])
def test_debug_shows_the_traceback(
    cli: Cli, failing: Callable[[BaseException], None], error: BaseException
) -> None:
    """With --debug the traceback comes before the line, which drops its hint."""
    failing(error)

    *trace, line = cli("--debug", "record").err.splitlines()

    assert trace[0] == "Traceback (most recent call last):"
    assert line.startswith("damon-async: ")
    assert "--debug" not in line


@pytest.mark.parametrize(("code", "expected"), [(143, 143), ("text", 1)])
def test_exit_of_a_command_is_kept(
    cli: Cli, failing: Callable[[BaseException], None], code: int | str, expected: int
) -> None:
    """A command that exits decides about the code."""
    failing(SystemExit(code))

    assert cli("record").code == expected


def test_sigterm_unwinds_and_is_given_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM runs the clean-up code of a command, and the old handler comes back."""
    before = signal.getsignal(signal.SIGTERM)
    cleaned = []

    def run(tokens: Sequence[str]) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            cleaned.append(True)
        return 0

    monkeypatch.setattr(app, "run", run)

    assert entry.main([]) == 143
    assert cleaned == [True]
    assert signal.getsignal(signal.SIGTERM) is before


def test_works_in_another_thread(cli: Cli) -> None:
    """Signals are left alone where they cannot be had."""
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(cli("--version").code))

    thread.start()
    thread.join()

    assert codes == [0]


@pytest.mark.parametrize(
    "start",
    [
        ["-m", "damon_async"],
        ["-c", "import sys; from damon_async.cli.main import main; sys.exit(main())"],
    ],
)
def test_missing_extra_is_one_line(start: list[str], tmp_path: Path) -> None:
    """Without cyclopts the command names the extra that brings it."""
    # An import hook of Python: None in sys.modules is a module that is not there.
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['cyclopts'] = None\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}

    done = subprocess.run(
        [sys.executable, *start, "record"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "damon-async: the command line needs the 'cli' extra: pip install 'damon_async[cli]'\n",
    )


def test_other_missing_modules_are_bugs(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that no extra brings is not blamed on an extra."""
    monkeypatch.setitem(sys.modules, "damon_async.cli.app", None)

    outcome = cli("record")

    assert outcome.code == 1
    assert outcome.line.startswith("damon-async: internal error: ModuleNotFoundError: ")


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (["workloads"], {141}),
        (["record", "stairs:size=64M", "--timeout", "1", "-o", "-"], {141}),
        # Printed by rich, of which some releases have a code of their own for that.
        (["--help"], {1, 141}),
    ],
)
def test_closed_pipe_is_silent(words: list[str], codes: set[int]) -> None:
    """A reader that goes away ends the command without a complaint."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "damon_async", *words],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode in codes
    assert [line for line in done.stderr.splitlines() if "recording" not in line] == []
