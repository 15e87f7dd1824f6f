"""The command that stands for a workload."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Cli
from .processes import started

CONFIG = "a,1M\n\nfirst\n2\na,0,4096,1\n\nsecond\n3\na,1,0,1\n"

LINES = """\
first:\t             130,000 accesses/msec, 2 msecs run
second:\t              60,000 accesses/msec, 3 msecs run
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where processes register."""
    monkeypatch.setenv("DAMON_ASYNC_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "a.cfg").write_text(CONFIG)
    return tmp_path / "run"


def test_a_line_per_phase(cli: Cli, registry: Path) -> None:
    """Each phase is told as masim tells it, and the process ends by itself."""
    outcome = cli("masim", "a.cfg")
    assert (outcome.code, outcome.out, outcome.err) == (0, LINES, "")
    assert list(registry.iterdir()) == []


def test_repeated(cli: Cli, registry: Path) -> None:
    """All phases come again."""
    assert cli("masim", "a.cfg", "-c", "2").out == LINES * 2


def test_lines_within_phases(cli: Cli, registry: Path) -> None:
    """With an interval, there is a line for each part of a phase."""
    lines = cli("masim", "a.cfg", "--log_interval", "1").out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["first"] * 2 + ["second"] * 3
    assert all(line.endswith(" 1 msecs run") for line in lines)


def test_quiet(cli: Cli, registry: Path) -> None:
    """With -q, nothing is printed."""
    outcome = cli("masim", "-q", "-p", "a.cfg")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_dry_run(cli: Cli, registry: Path) -> None:
    """With -d, a configuration is read and nobody is told of it."""
    outcome = cli("masim", "-d", "-p", "a.cfg")
    assert outcome.code == 0
    assert outcome.out.splitlines()[:2] == ["region a: 1048576 bytes", "phase first: 2 msecs"]
    assert not registry.exists()


@pytest.mark.parametrize("words", [["-h"], ["-r", "rw"], ["-t", "mlock"], ["--random_batch", "9"]])
def test_masim_s_options_are_accepted(cli: Cli, registry: Path, words: list[str]) -> None:
    """Options that only masim has an effect for do no harm."""
    outcome = cli("masim", *words, "a.cfg")
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("before", [True, False])
def test_common_options(cli: Cli, registry: Path, *, before: bool) -> None:
    """What all commands take may stand before and behind this one, too."""
    common = ["--log_level", "error", "--debug"]
    words = [*common, "masim", "a.cfg", "-c", "2"] if before else ["masim", "a.cfg", *common]
    outcome = cli(*words)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (LINES * 2 if before else LINES)


def test_help(cli: Cli) -> None:
    """--help explains each option; -h is masim's own, for huge pages."""
    outcome = cli("masim", "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("usage: damon-async masim ")
    for name in ("--repeat", "--use_hugetlb", "--log_interval", "--dry_run", "--quiet"):
        assert name in outcome.out


def test_the_command_is_listed(cli: Cli) -> None:
    """It stands among the other commands."""
    assert "masim      Stand for a workload" in cli("--help").out


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["nowhere.cfg"], "nowhere.cfg: cannot be read: No such file or directory"),
        (["bad.cfg"], "bad.cfg"),
        (["a.cfg", "-c", "-1"], "repeat: -1 is not a number"),
        (["a.cfg", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["zipf:colour=blue"], "colour: no such option"),
        ([], "configs/default: cannot be read: No such file or directory"),
    ],
)
def test_mistakes(cli: Cli, registry: Path, words: list[str], wrong: str) -> None:
    """What cannot be is one line and exit code 2, and nothing is registered."""
    Path("bad.cfg").write_text("a,1M\n\nfirst\n100\nb,0,4096,1\n")
    outcome = cli("masim", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert wrong in outcome.line
    assert not registry.exists()


def test_other_workloads(cli: Cli, registry: Path) -> None:
    """Any workload may be stood for; it has no phases to be told."""
    outcome = cli("masim", "zipf:size=1M,duration=5ms", "-c", "2")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_unsafe_directory(cli: Cli, registry: Path) -> None:
    """Where others may write, nobody registers."""
    registry.mkdir()
    registry.chmod(0o777)
    assert "others than its user may write to" in cli("masim", "a.cfg").line


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("spec", ["long.cfg", "zipf:size=1M"])
def test_signals(registry: Path, tmp_path: Path, signum: int, code: int, spec: str) -> None:
    """A process that is told to end is not registered any more, whatever it stands for."""
    (tmp_path / "long.cfg").write_text(CONFIG.replace("\n3\n", "\n1000000\n"))
    with started(tmp_path, "masim", spec) as process:
        entry = wait_for_entry(process, registry)
        process.send_signal(signum)
        _, err = process.communicate()
    workload = f"masim:{tmp_path}/long.cfg," if spec == "long.cfg" else spec
    assert entry["workload"].startswith(workload)
    assert process.returncode == code
    assert len(err.splitlines()) == (1 if signum == signal.SIGINT else 0)
    assert list(registry.iterdir()) == []


def test_lines_come_as_phases_end(registry: Path, tmp_path: Path) -> None:
    """A line is printed when its phase is over, not when the process is."""
    (tmp_path / "long.cfg").write_text(CONFIG.replace("\n3\n", "\n1000000\n"))
    with started(tmp_path, "masim", "long.cfg") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == LINES.splitlines(keepends=True)[0]
        assert process.poll() is None


def test_nothing_heavy_is_loaded() -> None:
    """The command starts without what parses and draws for the others."""
    code = (
        "import sys; from damon_async.cli.main import main; main(['masim', '--help']);"
        "print([name for name in ('cyclopts', 'rich', 'matplotlib') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.splitlines()[-1] == "[]"


def wait_for_entry(process: subprocess.Popen[str], registry: Path) -> dict[str, str]:
    """Return what a process registers; it is looked for until it is there."""
    while process.poll() is None:
        for path in registry.glob("*.json"):
            entry: dict[str, str] = json.loads(path.read_bytes())
            return entry
    pytest.fail("the process ended without having registered")
