"""What a sandbox is like for its command, and what it leaves behind: nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .scripted import Said, sandboxed, scripted

PATIENCE_S = 30
"""How long the kernel may take to end processes that nobody needs any more."""

RULE = "named_by_rule=uniform:size=32M"


@pytest.fixture(scope="module")
def inside(sandbox_allowed: None, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Look around from inside."""
    os.environ["OURS"] = "kept"
    return scripted(tmp_path_factory, "inside.sh", "--profile", "6.12", "--rule", RULE)


def test_working_directory(inside: Said) -> None:
    """The command runs where the sandbox was called, and may write there."""
    assert Path(inside.word("where")) == inside.folder


def test_environment(inside: Said) -> None:
    """Variables reach the command."""
    assert inside.word("variable") == "kept"


def test_user(inside: Said) -> None:
    """The command runs as root."""
    assert inside.word("user") == "0"


def test_it_succeeds(inside: Said) -> None:
    """Without a mistake the sandbox says nothing, whatever the command left running."""
    assert (inside.rc("all"), inside.out("all")) == (0, "")
    assert "Traceback" not in inside.err("all")


def test_the_tree_is_ours(inside: Said) -> None:
    """The control tree is our file system, and no other one can be reached."""
    assert inside.word("mounted").startswith("fuse")
    outside = Path("/sys/kernel/mm/damon/admin")
    if outside.exists():
        assert outside.stat().st_dev != int(inside.word("admin"))


def test_the_rest_is_the_machines(inside: Said) -> None:
    """Beside our directory, all that the kernel tells of memory is still there."""
    ours, outside = (
        set(inside.out("mm").split()),
        {path.name for path in Path("/sys/kernel/mm").iterdir()},
    )
    assert ours - outside <= {"damon", "damon_async"}
    assert outside - ours == set()


def test_a_fresh_tree(inside: Said) -> None:
    """At first there is no kdamond."""
    assert inside.out("listed") == "nr_kdamonds\n"


def test_programs(inside: Said) -> None:
    """Our perf comes before any other one; masim is there for machines without it."""
    assert inside.word("perf") == "/sys/kernel/mm/damon_async/bin/perf"
    assert inside.rc("masim") == 0


def test_events(inside: Said) -> None:
    """The trace events are those of the profile."""
    if inside.rc("events") == 0:
        assert inside.out("events").split() == [
            "damon:damon_aggregated",
            "damon:damos_before_apply",
        ]


def test_memory(inside: Said) -> None:
    """The list of physical memory is that of our machine."""
    assert int(inside.word("iomem")) == 1


def test_home(inside: Said) -> None:
    """What is left at home is left in the sandbox."""
    assert inside.rc("home") == 0
    assert not (Path.home() / "left_at_home").exists()


def test_processes(inside: Said) -> None:
    """The command sees the processes of the sandbox alone."""
    assert int(inside.word("processes")) < 12


@pytest.mark.parametrize(
    ("what", "mib"),
    [("masim", 95.4), ("own", 95.4), ("rule", 32), ("unknown", 100)],
    ids=["masim", "own", "rule", "unknown"],
)
def test_workloads(inside: Said, what: str, mib: float) -> None:
    """Memory is that of the configuration, of the user's rule, or the default."""
    assert int(inside.word(f"bytes_{what}")) / 2**20 == pytest.approx(mib, abs=0.6)


def test_no_such_process(inside: Said) -> None:
    """What is no process cannot be monitored."""
    assert inside.rc("nobody") != 0
    assert "Invalid argument" in inside.err("nobody")


def test_virtual_time(sandbox_allowed: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With virtual time, time passes in commands only, and all is as the seed says."""
    options = ("--virtual", "--seed", "5")
    first = scripted(tmp_path_factory, "virtual.sh", *options)
    again = scripted(tmp_path_factory, "virtual.sh", *reversed(("5", "--seed", "--virtual")))
    # A command takes up to one sampling interval of it; half a second would be five times more.
    assert int(first.word("after")) - int(first.word("before")) <= 1 << 30
    assert len(first.out("tree")) > 1000
    assert first.out("tree") == again.out("tree")


# -- Ends ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        (["sh", "-c", "exit 7"], 7, ""),
        (["no-such-command"], 127, "damon-async: no-such-command: command not found\n"),
        (["/etc"], 126, "damon-async: /etc: Permission denied\n"),
        (["sh", "-c", "kill -9 $$"], 137, ""),
    ],
    ids=["its own", "not found", "not executable", "killed"],
)
def test_exit_codes(
    sandbox_allowed: None, tmp_path: Path, command: list[str], code: int, sentence: str
) -> None:
    """The exit code is that of the command, as a shell would show it."""
    done = sandboxed(command, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", sentence)


@pytest.mark.parametrize("name", ["perf", "damon-async"])
def test_programs_inside(sandbox_allowed: None, tmp_path: Path, name: str) -> None:
    """The command may be a program that only the path inside leads to."""
    done = sandboxed([name, "--version"], tmp_path, PATH="/usr/bin:/bin")
    assert done.returncode == 0
    assert ("sandbox" in done.stdout) == (name == "perf")


def test_no_command(tmp_path: Path) -> None:
    """Without a command it says how to give one."""
    done = sandboxed([], tmp_path)
    assert done.returncode == 2
    assert "put one behind two dashes" in done.stderr


def test_wrong_workload(sandbox_allowed: None, tmp_path: Path) -> None:
    """With a workload that makes no sense, the command is not run."""
    done = sandboxed(["touch", "ran"], tmp_path, "--workload", "nonsense:")
    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert list(tmp_path.iterdir()) == []


@contextmanager
def running(folder: Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script in a sandbox until it says that it is ready."""
    words = [sys.executable, "-m", "damon_async", "sandbox", "--", "sh", "-c", script]
    with subprocess.Popen(
        words, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals(sandbox_allowed: None, tmp_path: Path, number: signal.Signals) -> None:
    """A signal to the sandbox is one to the command, which decides what it means."""
    script = "trap 'exit 9' TERM INT HUP; echo ready; while :; do sleep 0.05; done"
    with running(tmp_path, script) as process:
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 9


def test_signals_that_end_it(sandbox_allowed: None, tmp_path: Path) -> None:
    """A command that does not handle a signal ends by it."""
    with running(tmp_path, "echo ready; exec sleep 60") as process:
        process.terminate()
        assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM


def test_input_and_output(sandbox_allowed: None, tmp_path: Path) -> None:
    """What is written to the sandbox goes to the command, what that writes comes back."""
    with running(tmp_path, "echo ready; cat") as process:
        out, _ = process.communicate("a line\nand half a li", PATIENCE_S)
    assert (process.returncode, out) == (0, "a line\nand half a li")


def alive(marker: str) -> list[str]:
    """Return the command lines of processes that have a marker in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return found


def gone(marker: str) -> bool:
    """Wait until no process has a marker any more; tell whether that came."""
    end = time.monotonic() + PATIENCE_S
    while alive(marker) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(marker)


def mounts() -> list[str]:
    """Return what is mounted in this namespace that bears our name."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if re.search("damon.async", line)]


START = """
    echo 1 >/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds
    cd /sys/kernel/mm/damon/admin/kdamonds/0
    echo 1 >contexts/nr_contexts
    echo 1 >contexts/0/targets/nr_targets
    echo $$ >contexts/0/targets/0/pid_target
    echo on >state
    sleep 600 &
    setsid sleep 601 &
    echo ready
"""


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_nothing_is_left(
    sandbox_allowed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """However it ends, no process and no mount is left of it."""
    marker = f"SANDBOX_TEST_MARKER={tmp_path}"
    monkeypatch.setenv(*marker.split("=", 1))
    before = mounts()
    with running(tmp_path, START + ("sleep 602" if how == "killed" else "cat")) as process:
        # Beside this one: the command, its children, the server, and a kdamond.
        lines = alive(marker)
        if how == "killed":
            process.kill()
        else:
            process.communicate("", PATIENCE_S)
        process.wait(PATIENCE_S)
    monkeypatch.delenv("SANDBOX_TEST_MARKER")
    assert any("kdamond.0" in line for line in lines)
    assert gone(marker)
    assert mounts() == before
    assert list(tmp_path.iterdir()) == []


# -- An ordinary user ----------------------------------------------------

ORDINARY = """
    mount -t tmpfs none "$1" && mknod -m 666 "$1/fuse" c 10 229 || exit 77
    mount --bind "$1/fuse" /dev/fuse || exit 77
    case "$2" in /root/*)
        # A Python at home with root is not for others to run.
        mkdir "$1/python" && mount --bind "$2" "$1/python" || exit 77
        mount -t tmpfs -o mode=755 none /root && mkdir -p "$2" || exit 77
        mount --bind "$1/python" "$2" || exit 77
    esac
    shift 2
    cd / && HOME=/nonexistent exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
"""


def as_nobody(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as an ordinary user who may open /dev/fuse."""
    words = ["unshare", "--mount", "sh", "-c", ORDINARY, "sh", str(folder), sys.base_prefix]
    return subprocess.run(
        [*words, *command], check=False, capture_output=True, text=True, timeout=100
    )


def test_ordinary_user(sandbox_allowed: None, tmp_path: Path) -> None:
    """An ordinary user who may open /dev/fuse has a sandbox, as root of a namespace."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    allowed = "open('/dev/fuse', 'r+b', 0); import os, mfusepy; "
    allowed += "os.execvp('unshare', ['unshare', '-Urmpf', 'true'])"
    probe = as_nobody(tmp_path, sys.executable, "-c", allowed)
    if probe.returncode:
        pytest.skip(f"an ordinary user may not do it here: {probe.stderr.strip()[-200:]}")
    script = "id -u; cat /sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds"
    own = (sys.executable, "-m", "damon_async", "sandbox", "--", "sh", "-c")
    done = as_nobody(tmp_path, *own, script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n0\n", "")


# -- damon-async mount ---------------------------------------------------


def test_mount(mount_allowed: None, tmp_path: Path) -> None:
    """A mounted tree is there until SIGTERM, and then the directory is empty."""
    words = [sys.executable, "-m", "damon_async", "mount", str(tmp_path)]
    with subprocess.Popen(words, text=True, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline().startswith(f"mounted on {tmp_path}")
            number = tmp_path / "kdamonds" / "nr_kdamonds"
            number.write_text("2")
            names = sorted(path.name for path in (tmp_path / "kdamonds").iterdir())
            process.terminate()
            code = process.wait(PATIENCE_S)
        finally:
            process.kill()
    assert (code, names) == (0, ["0", "1", "nr_kdamonds"])
    assert list(tmp_path.iterdir()) == []
