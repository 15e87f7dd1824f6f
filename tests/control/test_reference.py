"""The reference page says what the declarations say, and all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from damon_async.control.admin import ADMIN
from damon_async.control.declared import READ_ONLY, Directory, File
from damon_async.control.lookup import declared_directories
from damon_async.control.profiles import NEXT, Profile, Release
from damon_async.control.reference import SYSFS_PAGE, Page, holds, reference, refusals
from damon_async.control.values import (
    BOOL,
    I32,
    NR,
    PATH,
    POSITIVE_U64,
    U64,
    U64E,
    Keyword,
    Kind,
    Value,
)

from .stored import every_path, stored

PAGE = "docs/sysfs.md"


class Dice:
    """A number of eyes, thrown anew at each look."""

    def at(self, release: Release) -> Dice:
        del release
        return self

    def parse(self, data: bytes) -> Value:
        return data

    def show(self, value: Value) -> bytes:
        return b"%d\n" % int(value)


@pytest.fixture(scope="module")
def page() -> str:
    """Return the page of the sysfs tree."""
    return reference(ADMIN, SYSFS_PAGE)


def _files() -> Iterator[tuple[str, File]]:
    for path, directory, _ in declared_directories(ADMIN):
        for file in directory.all_files:
            yield path, file


def _section(page: str, path: str) -> str:
    """Return what the page says about a directory."""
    return page.partition(f"\n## `{path}`\n")[2].partition("\n## ")[0]


def test_page_is_up_to_date(root: Path, page: str) -> None:
    """The page in the documentation is what the declarations say; `tree reference` prints it."""
    assert (root / PAGE).read_text(encoding="utf-8") == page


def test_every_file_is_there(page: str) -> None:
    """Every file of every release stands in the section of its directory."""
    for path, file in _files():
        assert f"| `{file.name}` | {file.mode:04o} |" in _section(page, path), path


def test_every_file_of_a_tree_is_there(page: str) -> None:
    """Whatever a tree has files for is on the page, under the path with its numbers left open."""
    heads = set(re.findall("^## `(.*)`$", page, re.MULTILINE))
    for path in every_path(stored(Profile.LATEST).tree):
        shape = re.sub(r"/\d+(?=/)", "/*", path).rpartition("/")[0]
        assert shape in {re.sub("<[a-z_]+>", "*", head) for head in heads}, path


def test_every_meaning_is_one_sentence() -> None:
    """Each file and directory says in one sentence what it is about."""
    counters = {each.counter for _, each, _ in declared_directories(ADMIN)}
    texts = [file.about for _, file in _files() if file.name not in counters]
    texts += [each.about for _, each, _ in declared_directories(ADMIN)]
    for text in texts:
        assert text.endswith("."), text
        assert ". " not in text
        assert len(text) <= 100, text


def test_units_are_said() -> None:
    """Whatever has a unit in its name says it in its meaning, too."""
    words = {"_us": "microseconds", "_ms": "milliseconds", "_permil": "permil", "_bp": "1/10000"}
    for path, file in _files():
        for end, unit in words.items():
            if file.name.endswith(end):
                assert unit in file.about, f"{path}/{file.name}"
        if file.name.startswith(("sz_", "bytes", "addr_")) and not file.name.endswith("permil"):
            assert "byte" in file.about.lower(), f"{path}/{file.name}"


def test_keywords_have_releases(page: str) -> None:
    """Words say since when they are known, unless they are as old as their file."""
    context = _section(page, "kdamonds/<kdamond>/contexts/<context>")
    assert "`operations`: `vaddr`, `paddr`, `fvaddr` (5.19)." in context
    scheme = _section(page, "kdamonds/<kdamond>/contexts/<context>/schemes/<scheme>")
    assert "`migrate_cold` (6.11), `collapse` (after 7.1)." in scheme
    goal = "kdamonds/<kdamond>/contexts/<context>/schemes/<scheme>/quotas/goals/<goal>"
    assert "`target_metric`: `user_input`, `some_mem_psi_us`, `node_mem" in _section(page, goal)


def test_files_are_as_old_as_their_directory(page: str) -> None:
    """A file is in no release that has not its directory."""
    goal = "kdamonds/<kdamond>/contexts/<context>/schemes/<scheme>/quotas/goals/<goal>"
    assert "| `current_value` | 0600 | unsigned 64 bits | `0` | 6.8 |" in _section(page, goal)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (U64, "unsigned 64 bits"),
        (POSITIVE_U64, "unsigned 64 bits, at least 1"),
        (I32, "signed 32 bits"),
        (NR, "unsigned 31 bits"),
        (BOOL, "`Y` or `N`"),
        (PATH, "text, kept to the byte"),
        (Keyword.of("a b"), "keyword"),
        (Keyword.of(), "lines"),
        (Dice(), "a number of eyes, thrown anew at each look"),
    ],
)
def test_classes(kind: Kind, words: str) -> None:
    """Classes of values are said in words, those of other trees in their own."""
    assert holds(kind) == words


@pytest.mark.parametrize(
    ("file", "names"),
    [
        (File("a", U64), "EINVAL ERANGE"),
        (File("a", U64E), "EINVAL"),
        (File("a", PATH, b""), ""),
        (File("a", PATH, b"", locks_since=Release(6, 12)), "EBUSY"),
        (File("a", U64, mode=READ_ONLY), ""),
        (File("a", BOOL, False), "EINVAL"),
        (Directory("a", counter="nr_a").all_files[0], "EINVAL ERANGE EBUSY ENOMEM"),
    ],
)
def test_refusals(file: File, names: str) -> None:
    """A file lists the errnos that come of its class, its lock and its role."""
    import errno

    assert " ".join(errno.errorcode[number] for number in refusals(file)) == names


def test_other_trees() -> None:
    """Any tree gets a page: files in the root, names of their own, releases that end."""
    pot = Directory("pot", (File("eyes", Dice(), 6, until=Release(6, 9), about="How | many."),))
    table = Directory("table", (File("stake", U64, since=NEXT),), named=pot, about="A game.")
    text = reference(table, Page("Dice", "/dev/dice", ("Play fair.",)))
    assert text.startswith("# Dice\n\nPaths are relative to `/dev/dice`.")
    assert "Play fair." in text
    assert "## `/`\n\nA game.\n" in text
    assert "| `stake` | 0600 | unsigned 64 bits | `0` | after 7.1 |" in text
    assert "## `<pot>`" in text
    assert "| 5.18, before 6.9 |" in text
    assert "How \\| many." in text


def test_page_ends_with_one_newline(page: str) -> None:
    """The page is a text file: no blanks at the ends of lines, one newline at its end."""
    assert page.endswith("\n")
    assert not page.endswith("\n\n")
    assert not re.search(r"[ \t]$", page, re.MULTILINE)
