"""The values of a tree: taken, written as lines, looked at and compared."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given, strategies as st

from damon_async.control.admin import ADMIN
from damon_async.control.dbgfs import ROOT
from damon_async.control.lookup import declared_file, natural
from damon_async.control.parameter_files import values_of
from damon_async.control.profiles import Profile
from damon_async.control.stored_tree import (
    Difference,
    StoredTree,
    canonical,
    differences,
    from_lines,
    is_setting,
    take,
    text_of,
    to_lines,
)
from damon_async.control.tree import Tree
from damon_async.errors import ParametersError

from .consoles import INTERVALS, C, K, S
from .staged import PROMOTE, RECLAIM, staged, taken
from .stored import errno_of, every_path, stored

SAMPLE = f"{INTERVALS}/sample_us"

names = st.text("abc_0123", min_size=1, max_size=5)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


class Leaky:
    """A tree in which some paths cannot be read."""

    def __init__(self, tree: Tree, *broken: str, number: int = errno.EBUSY) -> None:
        self._tree = tree
        self._broken = broken
        self._number = number
        self.nr_reads = 0

    def entries(self, path: str = "") -> list[tuple[str, bool]]:
        self._check(path)
        return self._tree.entries(path)

    def read(self, path: str) -> bytes:
        self.nr_reads += 1
        self._check(path)
        return self._tree.read(path)

    def _check(self, path: str) -> None:
        if path in self._broken:
            raise OSError(self._number, "as was asked for")


@pytest.mark.parametrize("profile", Profile)
def test_everything_is_taken(profile: Profile) -> None:
    """One walk takes all files of a tree, each once."""
    tree = stored(profile).tree
    assert set(taken(tree)) == set(every_path(tree))


def test_each_file_is_read_once() -> None:
    """A file that is busy is not tried again: that is up to the user."""
    files = Leaky(staged([RECLAIM]), f"{K}/state", f"{K}/pid")
    values, missed = take(files)
    assert set(missed) == {f"{K}/state", f"{K}/pid"}
    assert files.nr_reads == len(values) + len(missed)


def test_directories_vanish() -> None:
    """Of a directory that is gone when the walk comes there, the rest of the tree is left."""
    files = Leaky(staged([RECLAIM, PROMOTE]), f"{K}/contexts", number=errno.ENOENT)
    values, missed = take(files)
    assert missed[f"{K}/contexts"].errno == errno.ENOENT
    assert "kdamonds/1/contexts/nr_contexts" in values
    assert not any(path.startswith(f"{K}/contexts/") for path in values)


def test_no_tree_at_all() -> None:
    """Where the walk cannot even begin, it fails."""
    with pytest.raises(OSError, match="as was asked for"):
        take(Leaky(Tree(ADMIN), ""))


def test_part_of_a_tree() -> None:
    """A walk can begin anywhere, and paths are from the root all the same."""
    values, _ = take(staged([RECLAIM]), f"/{INTERVALS}/")
    assert values[SAMPLE] == "5000"
    assert all(path.startswith(INTERVALS) for path in values)


@pytest.mark.parametrize(
    ("data", "text"), [(b"on\n", "on"), (b"\n", ""), (b"/a\n\n", "/a\n"), (b"\xff\n", "\udcff")]
)
def test_texts(data: bytes, text: str) -> None:
    """A value is what a file says without its last newline, whatever the bytes."""
    assert text_of(data) == text


# -- Lines -------------------------------------------------------------------


@given(st.dictionaries(paths, st.binary(max_size=9).map(lambda data: text_of(data + b"\n"))))
def test_lines_round_trip(values: dict[str, str]) -> None:
    """Any values can be written as lines of plain text and read again."""
    text = to_lines(values)
    assert text.encode().count(b"\n") == len(values)
    assert from_lines(text) == values


def test_lines_by_hand() -> None:
    """Lines may be written by hand, with comments and without much care."""
    text = "# mine\n\n  /kdamonds/nr_kdamonds:1\nkdamonds/0/state: on\na:  b: c\\d\n"
    expected = {"kdamonds/nr_kdamonds": "1", "kdamonds/0/state": "on", "a": " b: c\\d"}
    assert from_lines(text) == expected


def test_broken_lines() -> None:
    """All lines that are none are told, with their numbers."""
    with pytest.raises(
        ParametersError, match=r"2 problems: line 2: 'nonsense' is not .*; line 4: a"
    ):
        from_lines("a: 1\nnonsense\nb: 2\na: 3\n")


def test_canonical_values() -> None:
    """Values are told apart by what they mean, not by how they are written."""
    values = {SAMPLE: "0x1388", f"{C}/pause": "1", f"{K}/pid": "-1", f"{S}/action": "no such"}
    expected = values | {SAMPLE: "5000", f"{C}/pause": "Y"}
    assert canonical(values | {"x": "010"}, ADMIN) == expected | {"x": "010"}


# -- Stored trees ------------------------------------------------------------


def test_stored_trees_are_trees() -> None:
    """A tree of stored values lists and reads as the tree that they were taken from."""
    tree = staged([RECLAIM])
    copy = StoredTree(taken(tree))
    assert take(copy) == take(tree)
    assert sorted(copy.entries(S)) == sorted(
        entry for entry in tree.entries(S) if not entry[1] or taken_below(tree, f"{S}/{entry[0]}")
    )
    assert copy.read(f"/{SAMPLE}") == tree.read(SAMPLE)


def taken_below(tree: Tree, path: str) -> bool:
    """Tell whether there is any file below *path*: only of files it is known that they are."""
    return bool(take(tree, path).values)


def test_stored_errors() -> None:
    """A stored tree has the errnos of a real one for what is not there."""
    copy = StoredTree(taken(staged([RECLAIM])))
    assert errno_of(lambda: copy.read(K)) == errno.EISDIR
    assert errno_of(lambda: copy.read("nothing")) == errno.ENOENT
    assert errno_of(lambda: copy.entries("nothing")) == errno.ENOENT
    assert errno_of(lambda: copy.entries(SAMPLE)) == errno.ENOTDIR
    assert StoredTree({}).entries() == []


# -- Comparing ---------------------------------------------------------------


def test_equal_trees() -> None:
    """Trees that were staged alike do not differ."""
    left, right = (taken(staged([RECLAIM])) for _ in range(2))
    assert list(differences(left, right, ADMIN)) == []


def test_differences() -> None:
    """What differs is told by path, in the order of people."""
    left = taken(staged([RECLAIM]))
    right = left | {SAMPLE: "7", f"{K}/refresh_ms": "2"}
    assert list(differences(left, right, ADMIN)) == [
        Difference(SAMPLE, "5000", "7"),
        Difference(f"{K}/refresh_ms", "1000", "2"),
    ]


def test_missing_settings_are_defaults() -> None:
    """Trees of releases with different files are equal if all else is at its default."""
    old, new = (taken(staged([PROMOTE.model_copy(update=SIMPLE)], p)) for p in ENDS)
    settings = list(differences(old, new, ADMIN, settings_only=True))
    assert settings == []
    paths = {each.path for each in differences(old, new, ADMIN)}
    assert f"{C}/avail_operations" in paths


SIMPLE = {"contexts": (PROMOTE.contexts[0].model_copy(update={"schemes": ()}),)}
ENDS = (Profile.V5_18, Profile.LATEST)


def test_results_do_not_count() -> None:
    """Against parameters, state and statistics are no difference, but counts are."""
    wanted = values_of([RECLAIM])
    tree = taken(staged([RECLAIM])) | {f"{K}/state": "on", f"{S}/stats/nr_tried": "9"}
    assert list(differences(wanted, tree, ADMIN, settings_only=True)) == []
    fewer = {**tree, f"{S}/filters/nr_filters": "0"}
    (found,) = differences(wanted, fewer, ADMIN, settings_only=True)
    assert found == Difference(f"{S}/filters/nr_filters", "1", "0")


def test_unknown_files_differ() -> None:
    """A file that nobody declared has no default, and is there or not."""
    assert list(differences({"x": "1"}, {}, ADMIN)) == [Difference("x", "1", None)]


# -- Looking up --------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "is_there"),
    [
        ("kdamonds/nr_kdamonds", True),
        (f"{S}/filters/17/type", True),
        (f"/{SAMPLE}/", True),
        ("kdamonds/x/state", False),
        (f"{SAMPLE}/more", False),
        ("", False),
    ],
)
def test_declarations_by_path(path: str, is_there: bool) -> None:
    """A declaration is found by the path of any file it stands for."""
    assert (declared_file(ADMIN, path) is not None) == is_there


def test_declarations_of_named_children() -> None:
    """Directories with names of their own are found as well."""
    assert declared_file(ROOT, "mine/attrs") is not None


def test_what_is_a_setting() -> None:
    """Settings are what users write and find again."""
    settings = ("kdamonds/nr_kdamonds", f"{K}/refresh_ms", SAMPLE)
    results = (f"{K}/state", f"{K}/pid", f"{S}/stats/nr_tried", "nothing")
    assert all(is_setting(declared_file(ADMIN, path)) for path in settings)
    assert not any(is_setting(declared_file(ADMIN, path)) for path in results)


def test_natural_order() -> None:
    """Directories are in the order of their numbers."""
    assert sorted(["a/10", "a/9", "a/b", "a"], key=natural) == ["a", "a/b", "a/9", "a/10"]
