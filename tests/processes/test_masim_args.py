"""The command line of masim, and the memory that it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from damon_async.errors import InvalidError
from damon_async.processes.masim_args import (
    DEFAULT_CONFIG,
    MasimArgs,
    masim_parser,
    parse_masim_args,
    twin_of_masim,
)
from damon_async.processes.twin import Twin
from damon_async.spaces.traces import demo_trace_path

CONFIG = "a,1M\n\nfirst\n100\na,0,4096,1\n"

DEFAULTS = (
    "repeat=1,page_size=4096,random_batch=1000,random_array=1000,nr_accesses_per_region=131072"
)


def spec(folder: Path | None, *words: str) -> str:
    """Return what a command line of masim stands for."""
    return twin_of_masim(parse_masim_args(words), folder).spec


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ([], MasimArgs()),
        (["a.cfg"], MasimArgs("a.cfg")),
        (["a.cfg", "-c", "3"], MasimArgs("a.cfg", repeat=3)),
        (["-c3", "a.cfg"], MasimArgs("a.cfg", repeat=3)),
        (["--repeat=3", "a.cfg"], MasimArgs("a.cfg", repeat=3)),
        (["-q", "a.cfg", "-d", "-p"], MasimArgs("a.cfg", quiet=True, dry_run=True, pr_config=True)),
        (["-h", "a.cfg"], MasimArgs("a.cfg", use_hugetlb=True)),
        (["--use_hugetlb"], MasimArgs(use_hugetlb=True)),
        (["-r", "rw", "-t", "mlock"], MasimArgs(default_rw_mode="rw", hint="mlock")),
        (["--default_rw_mode", "ro"], MasimArgs(default_rw_mode="ro")),
        (["--log_interval", "50"], MasimArgs(log_interval=50)),
        (["--random_batch", "5", "--random_array", "6"], MasimArgs(random_batch=5, random_array=6)),
        (["--nr_accesses_per_region", "7"], MasimArgs(nr_accesses_per_region=7)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_arguments(words: list[str], args: MasimArgs) -> None:
    """Options are masim's, stand anywhere, and have its defaults."""
    assert parse_masim_args(words) == args


def test_default_config() -> None:
    """Without a configuration, masim reads the one that comes with it."""
    assert parse_masim_args(["-q"]).config == DEFAULT_CONFIG


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["a", "b"], "unrecognized arguments: b"),
        (["-c", "x"], "argument -c/--repeat: invalid int value: 'x'"),
        (["-c"], "argument -c/--repeat: expected one argument"),
    ],
)
def test_wrong_arguments(words: list[str], message: str) -> None:
    """What masim would not understand is an error, and no end of our process."""
    with pytest.raises(InvalidError, match=message):
        parse_masim_args(words)


def test_reading_arguments_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """-h of some other process does not make this one print a help text."""
    parse_masim_args(["-h"])
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_every_option_has_help() -> None:
    """The help text says something about each option."""
    assert all(action.help for action in masim_parser()._actions)


def test_paths_are_those_of_its_folder() -> None:
    """A relative path is looked for where masim was started, an absolute one is not."""
    assert spec(Path("/w"), "a.cfg") == f"masim:/w/a.cfg,{DEFAULTS}"
    assert spec(None, "/x/a.cfg") == f"masim:/x/a.cfg,{DEFAULTS}"
    with pytest.raises(InvalidError, match=r"a\.cfg is relative to a folder that is not known"):
        spec(None, "a.cfg")


def test_options_reach_the_workload() -> None:
    """Options that change what is accessed become options of the workload."""
    words = ["/a.cfg", "-c", "0", "-h", "--random_batch", "5", "--nr_accesses_per_region", "6"]
    assert spec(None, *words) == (
        "masim:/a.cfg,repeat=0,page_size=2097152,random_batch=5,random_array=1000,"
        "nr_accesses_per_region=6"
    )


def test_configurations_need_no_suffix(tmp_path: Path) -> None:
    """A file that looks like a configuration, or cannot be looked at, is one."""
    (tmp_path / "default").write_text(CONFIG)
    assert spec(tmp_path, "default").startswith(f"masim:{tmp_path}/default,repeat=1,")
    assert spec(tmp_path, "missing").startswith(f"masim:{tmp_path}/missing,repeat=1,")
    assert spec(tmp_path, "masim:default").startswith(f"masim:{tmp_path}/default,repeat=1,")


def test_the_twin_of_a_configuration_comes_once(tmp_path: Path) -> None:
    """What masim does is not repeated unless it does so itself."""
    (tmp_path / "default").write_text(CONFIG)
    twin = twin_of_masim(MasimArgs("default", repeat=3), tmp_path)
    assert not twin.is_repeated
    assert twin.open().lifetime_us == 300_000


@pytest.mark.parametrize(("repeat", "is_repeated"), [(1, False), (0, True), (3, True)])
def test_other_workloads(repeat: int, is_repeated: bool) -> None:
    """Anything that can be monitored may stand in the place of a configuration."""
    args = MasimArgs("zipf:size=1G,theta=0.9", repeat=repeat, use_hugetlb=True)
    twin = twin_of_masim(args, None)
    assert twin == Twin("zipf:size=1G,theta=0.9", is_repeated, page_size=2 * 1024**2)


def test_traces(tmp_path: Path) -> None:
    """A trace is opened as one, its form said or seen."""
    trace = demo_trace_path()
    assert spec(None, str(trace)) == str(trace)
    assert spec(tmp_path, "ids:a.txt,rate=5") == f"ids:{tmp_path}/a.txt,rate=5"
