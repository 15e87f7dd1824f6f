"""Each tree has a page, and the pages say what the trees do."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from damon_async.control.dbgfs import ROOT, dbgfs_tree
from damon_async.control.declared import Directory, File, Role
from damon_async.control.lookup import declared_directories, declared_file
from damon_async.control.module_tree import MODULE, module_tree
from damon_async.control.profiles import NEXT, Profile
from damon_async.control.reference import WIDEST, Page, reference, refusals
from damon_async.control.reference_pages import PAGES, page_about
from damon_async.control.tree import Tree
from damon_async.control.values import KEPT
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock

from .consoles import Memory
from .debug_consoles import PROFILES, every_profile, open_debug
from .stored import errno_of, every_path
from .test_dbgfs_malformed import TEXTS

DOCS = {"sysfs": "sysfs.md", "debugfs": "debugfs-files.md", "modules": "modules.md"}

every_tree = pytest.mark.parametrize("tree", list(PAGES))


def files_of(declared: Directory) -> Iterator[tuple[str, File]]:
    for path, directory, _ in declared_directories(declared):
        for file in directory.all_files:
            yield path, file


def fresh(tree: str, profile: Profile) -> Tree:
    """Return a tree that nobody has written to."""
    damon = Damon(clock=VirtualClock())
    if tree == "modules":
        return module_tree(damon, profile, Memory())
    return dbgfs_tree(damon, profile)


FRESH = [("debugfs", profile) for profile in PROFILES]
FRESH += [("modules", profile) for profile in Profile]


@every_tree
def test_pages_are_up_to_date(root: Path, tree: str) -> None:
    """Each page in the documentation is what the declarations say."""
    assert (root / "docs" / DOCS[tree]).read_text(encoding="utf-8") == page_about(tree)


@every_tree
def test_every_file_has_a_row(tree: str) -> None:
    """Every file that is declared has a row in the section of its directory, named ones too."""
    page = page_about(tree)
    for path, file in files_of(PAGES[tree][0]):
        section = page.partition(f"\n## `{path or '/'}`\n")[2].partition("\n## ")[0]
        assert len(re.findall(rf"^\| `{file.name}` \|", section, re.MULTILINE)) == 1, path


@pytest.mark.parametrize(("tree", "profile"), FRESH)
def test_defaults_are_what_is_read(tree: str, profile: Profile) -> None:
    """What a file is said to hold at first is what it reads in a fresh tree."""
    files, declared = fresh(tree, profile), PAGES[tree][0]
    for path in every_path(files):
        file = declared_file(declared, path)
        assert file is not None, path
        if file.can_read:
            assert files.read(path) == file.kind.show(file.default), path


@pytest.mark.parametrize(("tree", "profile"), FRESH)
def test_releases_are_those_of_trees(tree: str, profile: Profile) -> None:
    """A file is in a tree if the page says so: since its release, before its last one."""
    there = {path for path in every_path(fresh(tree, profile)) if "<" not in path}
    for path, directory, since in declared_directories(PAGES[tree][0]):
        for file in directory.all_files:
            is_there = since <= profile.release and file.is_in(profile.release)
            name = f"{path}/{file.name}".lstrip("/")
            assert "<" in path or (name in there) == is_there, name


def test_releases_that_end(root: Path) -> None:
    """Both names of the switch of debugfs are there, each with its releases."""
    page = (root / "docs/debugfs-files.md").read_text(encoding="utf-8")
    assert re.search(r"^\| `monitor_on` .* \| 5\.18, before 6\.9 \|", page, re.MULTILINE)
    assert re.search(r"^\| `monitor_on_DEPRECATED` .* \| 6\.9 \|", page, re.MULTILINE)
    assert "\n## `<context>`\n" in page


@every_profile
@given(data=st.data())
async def test_refusals_of_debugfs(profile: Profile, data: st.DataObject) -> None:
    """No write to debugfs ends with an errno that the page does not list."""
    async with open_debug(profile) as console:
        console.put(mk_contexts="foo", target_ids="1 2", foo__target_ids="paddr")
        paths = [path for path in every_path(console.tree) if path != console.switch]
        is_on = data.draw(st.booleans(), "is on")
        if is_on:
            await console.turn("on")
        for path in data.draw(st.lists(st.sampled_from(paths), max_size=6), "paths"):
            file = declared_file(ROOT, path)
            assert file is not None
            write = partial(console.tree.write, path, data.draw(TEXTS, "text"))
            assert errno_of(write) in {0, errno.ENOENT, *refusals(file)}, path
            assert errno_of(partial(console.tree.read, path)) in {0, errno.ENOENT, *refusals(file)}


@pytest.mark.parametrize(
    ("file", "numbers"),
    [
        (File("a", KEPT, b"", can_write=False), (errno.EINVAL,)),
        (File("a", KEPT, b"", refuses=()), ()),
        (File("a", KEPT, b"", role=Role.LIVE, refuses=(errno.EPERM,)), (errno.EPERM,)),
    ],
)
def test_refusals_of_their_own(file: File, numbers: tuple[int, ...]) -> None:
    """What a file declares counts, whatever its role; one that is only read is EINVAL."""
    assert refusals(file) == numbers


def test_long_and_hidden_defaults() -> None:
    """Of a long default the beginning is shown, and none of what cannot be read."""
    long, hidden = b"7" * 3 * WIDEST, b"nobody knows"
    files = (File("long", KEPT, long), File("hidden", KEPT, hidden, can_read=False))
    text = reference(Directory("a", files, since=NEXT), Page("A", "/a"))
    assert f"| `{'7' * WIDEST}`… |" in text
    assert hidden.decode() not in text
    assert "| not to be read |" in text


def test_every_module_has_parameters() -> None:
    """The page about modules has a section for each of them."""
    page = page_about("modules")
    for module in MODULE.directories:
        assert f"\n## `{module.name}/parameters`\n" in page
