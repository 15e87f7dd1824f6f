"""`damon-async tree`: looking into trees, writing to them, carrying them elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from damon_async.control.admin import ADMIN
from damon_async.control.folder import Folder
from damon_async.control.load import stage
from damon_async.control.profiles import Profile
from damon_async.control.script import SYSFS
from damon_async.control.stored_tree import from_lines
from damon_async.control.tree import Tree
from damon_async.params.document import load_document_file

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONTEXT = "kdamonds/0/contexts/0"
SAMPLE = f"{CONTEXT}/monitoring_attrs/intervals/sample_us"

DOCUMENT = {
    "kdamonds": [
        {
            "contexts": [
                {
                    "ops": "vaddr",
                    "targets": [{"pid": 12, "regions": []}],
                    "intervals": {"sample_us": 1000, "aggr_us": 20_000, "ops_update_us": 1_000_000},
                    "schemes": [{"action": "pageout", "apply_interval_us": 7}],
                }
            ]
        }
    ]
}


@pytest.fixture
def document(cli: Cli) -> Path:
    """Write a parameter document into the folder that commands run in, and return it."""
    del cli
    path = Path("wanted.json").absolute()
    path.write_text(json.dumps(DOCUMENT))
    return path


@pytest.fixture
def folder(cli: Cli, document: Path) -> Path:
    """Return a directory that looks like a mounted tree with that document staged."""
    assert cli("tree", "dump", "--tree", document, "--form", "lines", "-o", "all.txt").code == 0
    for name, value in from_lines(Path("all.txt").read_text()).items():
        path = Path("mounted", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    Path("mounted/kdamonds/0/state").write_text("off\n")
    return Path("mounted").absolute()


# -- Looking -----------------------------------------------------------------


def test_ls(cli: Cli, folder: Path) -> None:
    """A directory is listed in order, with slashes behind directories."""
    outcome = cli("tree", "ls", "kdamonds/0", "--tree", folder)
    assert outcome.out == "contexts/\nrefresh_ms\nstate\n"
    assert outcome.code == 0


def test_ls_everything(cli: Cli, document: Path, folder: Path) -> None:
    """All below a directory is listed as paths, of directories and of files alike."""
    mounted = cli("tree", "ls", "-R", f"{folder}/{CONTEXT}", "--tree", folder).out.split()
    stored = cli("tree", "ls", "-R", CONTEXT, "--tree", document).out.split()
    assert mounted == stored
    assert SAMPLE in mounted
    assert f"{CONTEXT}/schemes/" in mounted


def test_cat(cli: Cli, folder: Path) -> None:
    """Files are printed in the order they are asked for."""
    outcome = cli("tree", "cat", SAMPLE, f"/{CONTEXT}/operations", "-t", folder)
    assert outcome.out == "1000\nvaddr\n"


def test_cat_of_nothing(cli: Cli, folder: Path) -> None:
    """What cannot be read is told in one sentence each, and the rest is printed."""
    outcome = cli("tree", "cat", "nothing", SAMPLE, "kdamonds", "--tree", folder)
    assert outcome.code == 2
    assert outcome.out == "1000\n"
    first, second = outcome.err.splitlines()
    assert first.startswith("damon-async: nothing cannot be read (ENOENT): there is no such file")
    assert second == "damon-async: kdamonds cannot be read (EISDIR): is a directory"


def test_odd_bytes(cli: Cli, folder: Path) -> None:
    """Bytes that are no text are printed as numbers, and kept in files."""
    path = f"{CONTEXT}/schemes/0/filters"
    (folder / path / "0").mkdir(parents=True)
    (folder / path / "nr_filters").write_text("1\n")
    (folder / path / "0/type").write_text("memcg\n")
    (folder / path / "0/memcg_path").write_bytes(b"/a\xff b\n\n")
    assert cli("tree", "cat", f"{path}/0/memcg_path", "--tree", folder).out == "/a\\xff b\n\n"
    for form in ("json", "start", "script", "lines"):
        outcome = cli("tree", "dump", "--tree", folder, "--form", form)
        assert (outcome.code, outcome.err) == (0, "")
    assert cli("tree", "dump", "-t", folder, "--form", "script", "-o", "stage.sh").code == 0
    assert b"echo '/a\xff b' > " in Path("stage.sh").read_bytes()
    assert cli("tree", "diff", folder, "all.txt").out.startswith(f"{CONTEXT}/schemes/0/filters/")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["cat"], "cat needs the path of a file, such as kdamonds/0/state"),
        (["ls", "--tree", "nowhere"], "there is no tree at nowhere; damon-async sandbox has one"),
        (["ls", "nothing", "--tree", "wanted.json"], "nothing cannot be read (ENOENT)"),
        (["set", "a"], "set takes pairs of path and value"),
        (["set", "a", "1", "--tree", "wanted.json"], "wanted.json is a dump, which nothing can be"),
        (["load", "wanted.json", "--on", "--commit"], "choose one"),
        (["dump", "--on", "--tree", "wanted.json"], "--on is for --form script"),
        (["dump", "--form", "xml", "--tree", "wanted.json"], "xml"),
        (["dump", "--tree", "broken.txt"], "broken.txt: line 1: 'no colon' is not of the form"),
        (["dump", "--tree", "odd.json"], "odd.json: min_region_sz 8192 has no file"),
        (["diff", "broken.json", "wanted.json"], "broken.json: not a parameter document"),
    ],
)
def test_mistakes(cli: Cli, document: Path, words: list[str], line: str) -> None:
    """Mistakes are told in one line, and the exit code is 2."""
    del document
    Path("broken.txt").write_text("no colon")
    Path("broken.json").write_text("{")
    odd = {"contexts": [{"ops": "vaddr", "targets": [], "min_region_sz": 8192}]}
    Path("odd.json").write_text(json.dumps([odd]))
    outcome = cli("tree", *words)
    assert outcome.code == 2
    assert line in outcome.line


def test_paths_from_anywhere(cli: Cli, folder: Path) -> None:
    """A path may begin with the place of the tree, but not with a part of its name."""
    for path in (SAMPLE, f"mounted/{SAMPLE}", f"/{SAMPLE}/"):
        assert cli("tree", "cat", path, "--tree", "mounted").out == "1000\n"
    folder.rename("kdam")
    assert cli("tree", "cat", SAMPLE, "--tree", "kdam").out == "1000\n"
    assert cli("tree", "ls", "kdam", "--tree", "kdam").out == "kdamonds/\n"


def test_secret_trees(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not read a tree is told that root may."""

    def refuse(self: Folder, path: str) -> bytes:
        raise PermissionError(13, f"{self} {path}")

    monkeypatch.setattr(Folder, "read", refuse)
    outcome = cli("tree", "dump", "--tree", folder)
    assert outcome.code == 2
    assert "cannot be read (EACCES): only root may" in outcome.err
    assert outcome.err.endswith("not the whole tree; become root\n")


# -- Writing -----------------------------------------------------------------


def test_set(cli: Cli, folder: Path) -> None:
    """Values are written in the order they are given, negative ones as well."""
    outcome = cli("tree", "set", SAMPLE, "7", f"{CONTEXT}/schemes/0/target_nid", "-1", "-t", folder)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert (folder / SAMPLE).read_text() == "7"
    assert (folder / CONTEXT / "schemes/0/target_nid").read_text() == "-1"


def test_set_nothing(cli: Cli, folder: Path) -> None:
    """What is refused ends the command; what was written before stays."""
    outcome = cli("tree", "set", SAMPLE, "7", "nothing", "1", SAMPLE, "8", "--tree", folder)
    assert outcome.code == 2
    assert "nothing does not take '1' (ENOENT): there is no such file" in outcome.line
    assert (folder / SAMPLE).read_text() == "7"


@pytest.mark.parametrize(
    "words", [["set", SAMPLE, "7"], ["load", "wanted.json"], ["load", "wanted.json", "--on"]]
)
def test_kernels_are_not_written_to(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Where the kernel listens nothing is written, and how to get a tree is told."""
    before = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
    mountinfo = Path("mountinfo").absolute()
    mountinfo.write_text(f"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {folder} rw - sysfs b rw\n")
    monkeypatch.setattr("damon_async.control.folder.MOUNTINFO", mountinfo)
    outcome = cli("tree", *words, "--tree", folder)
    assert outcome.code == 2
    assert "belongs to the kernel of this machine" in outcome.line
    assert "damon-async sandbox has a tree" in outcome.line
    assert {path: path.read_text() for path in before} == before


def test_load(cli: Cli, folder: Path) -> None:
    """A document is written into a tree, and its kdamonds can be started then."""
    (folder / SAMPLE).write_text("5000\n")
    outcome = cli("tree", "load", "wanted.json", "--tree", folder, "--on")
    assert outcome.code == 0
    assert outcome.line.startswith("damon-async: wrote ")
    assert (folder / SAMPLE).read_text() == "1000"
    assert (folder / "kdamonds/0/state").read_text() == "on"


@pytest.mark.parametrize("source", ["wanted.json", "wanted.yaml", "all.txt"])
def test_load_forms(cli: Cli, folder: Path, source: str) -> None:
    """Documents in JSON and YAML are loaded, and so are lines."""
    yaml = pytest.importorskip("yaml")
    Path("wanted.yaml").write_text(yaml.safe_dump(DOCUMENT))
    (folder / SAMPLE).write_text("5000\n")
    assert cli("tree", "load", source, "--tree", folder, "--commit").code == 0
    assert (folder / SAMPLE).read_text() == "1000"
    assert (folder / "kdamonds/0/state").read_text() == "commit"


def test_load_by_hand(cli: Cli, folder: Path) -> None:
    """Lines written by hand may have numbers in any base."""
    Path("mine.txt").write_text(f"kdamonds/nr_kdamonds: 0x1\n{SAMPLE}: 0x10\n")
    assert cli("tree", "load", "mine.txt", "--tree", folder, "--on").code == 0
    assert (folder / SAMPLE).read_text() == "16"
    assert (folder / "kdamonds/0/state").read_text() == "on"


def test_load_into_too_little(cli: Cli, folder: Path) -> None:
    """A tree that lacks a file that is needed is told with it, and how far it came."""
    (folder / SAMPLE).unlink()
    outcome = cli("tree", "load", "wanted.json", "--tree", folder, "--on")
    assert outcome.code == 2
    assert f"{SAMPLE} does not take '1000' (ENOENT)" in outcome.line
    assert "values were written before" in outcome.line
    assert (folder / "kdamonds/0/state").read_text() == "off\n"


# -- Carrying elsewhere ------------------------------------------------------


@pytest.mark.parametrize("place", ["wanted.json", "all.txt", "mounted"])
def test_dump(cli: Cli, folder: Path, place: str) -> None:
    """Wherever a tree is, its dump is the document that it was staged with."""
    del folder
    assert cli("tree", "dump", "--tree", place, "-o", "dumped.json").code == 0
    assert cli("tree", "diff", "dumped.json", "wanted.json").code == 0
    (kdamond,) = load_document_file("dumped.json")
    assert kdamond.contexts[0].intervals.sample_us == 1000
    assert cli("tree", "dump", "--tree", "dumped.json").out == Path("dumped.json").read_text()


def test_dump_lines(cli: Cli, folder: Path) -> None:
    """Lines have everything in them, results as well, and stage the same tree."""
    text = cli("tree", "dump", "--tree", folder, "--form", "lines").out
    assert "kdamonds/0/state: off\n" in text
    tree = Tree(ADMIN, Profile.LATEST)
    stage(tree, from_lines(text), ADMIN)
    assert tree.read(SAMPLE) == b"1000\n"


def test_dump_start_line(cli: Cli, document: Path) -> None:
    """A start line is one line that a shell takes as it is."""
    outcome = cli("tree", "dump", "--tree", document, "--form", "start")
    (line,) = outcome.out.splitlines()
    assert line.startswith("damo start --kdamond --damon_ctx --ops vaddr ")
    assert "--damos_action pageout" in line
    assert "--regions '' --damos_scheme" in line


def test_dump_script(cli: Cli, document: Path) -> None:
    """A script can be run, writes counts first, and starts everything if asked to."""
    words = ["--tree", document, "--form", "script", "-o", "stage.sh", "--on"]
    assert cli("tree", "dump", *words).code == 0
    lines = Path("stage.sh").read_text().splitlines()
    assert Path("stage.sh").stat().st_mode & 0o111
    assert lines[0] == "#!/bin/sh"
    assert 'echo 1 > "$root"/kdamonds/nr_kdamonds' in lines
    assert f'echo 1000 > "$root"/{SAMPLE}' in lines
    assert lines[-1] == "done"


def test_dump_of_a_busy_tree(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy result is told and left out; a busy setting ends the dump, for it is not whole."""
    busy = {"kdamonds/0/state"}
    read = Folder.read

    def read_or_not(self: Folder, path: str) -> bytes:
        if path in busy:
            raise OSError(16, "Device or resource busy")
        return read(self, path)

    monkeypatch.setattr(Folder, "read", read_or_not)
    outcome = cli("tree", "dump", "--tree", folder)
    assert outcome.code == 0
    assert "kdamonds/0/state cannot be read (EBUSY)" in outcome.line
    busy |= {SAMPLE, *(f"{CONTEXT}/{name}" for name in ("operations", "addr_unit"))}
    busy |= {f"{CONTEXT}/monitoring_attrs/nr_regions/{name}" for name in ("min", "max")}
    outcome = cli("tree", "dump", "--tree", folder)
    assert outcome.code == 2
    *_, more, last = outcome.err.splitlines()
    assert more == "damon-async: and 1 more cannot be read"
    assert "is missing, so this is not the whole tree; try again" in last


def test_diff(cli: Cli, folder: Path, document: Path) -> None:
    """What differs is told in a line each, and the exit code is 1."""
    assert cli("tree", "diff", folder, document).code == 0
    (folder / SAMPLE).write_text("9\n")
    (folder / "kdamonds/0/state").write_text("on\n")
    outcome = cli("tree", "diff", document, folder)
    assert outcome.code == 1
    assert outcome.out == f"{SAMPLE}: 1000 -> 9\n"


def test_diff_of_trees(cli: Cli, folder: Path) -> None:
    """Between trees results count, and files that only one of them has."""
    assert cli("tree", "diff", folder, "all.txt").out == "kdamonds/0/state: off -> (none)\n"


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ([], "sysfs.md"),
        (["sysfs"], "sysfs.md"),
        (["debugfs"], "debugfs-files.md"),
        (["modules"], "modules.md"),
    ],
)
def test_reference(cli: Cli, root: Path, words: list[str], page: str) -> None:
    """The pages of the documentation are what the command prints."""
    assert cli("tree", "reference", *words).out == (root / "docs" / page).read_text()


def test_default_tree() -> None:
    """Where no tree is named it is the one that a kernel has, or a sandbox in its place."""
    assert SYSFS == "/sys/kernel/mm/damon/admin"


@pytest.mark.parametrize("name", ["ls", "cat", "set", "dump", "load", "diff", "reference"])
def test_help(cli: Cli, root: Path, name: str) -> None:
    """Every command explains itself and its options in 80 columns, and is in the documentation."""
    outcome = cli("tree", name, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"Usage: damon-async tree {name}")
    assert max(map(len, outcome.out.splitlines())) <= 80
    rows = [line.strip("│ ") for line in outcome.out.splitlines() if "│ --" in line]
    assert all(row.partition("  ")[2].strip() for row in rows)
    assert f"`tree {name}" in (root / "docs/tree.md").read_text()
