from __future__ import annotations

import errno

import pytest

from damon_async.control.node import MAX_CHILDREN, READ_ONLY, Branch, Directory, File, Role, Shape
from damon_async.control.profiles import NEXT, SEED, Release
from damon_async.control.values import U64

LEAF = Directory("leaf", (File("size", U64, 7), File("newer", U64, since=NEXT)))
TOP = Directory(
    "top",
    (File("sum", U64, mode=READ_ONLY),),
    (Directory("leaves", child=LEAF, counter="nr_leaves"), Directory("next", since=NEXT)),
)


def top(release: Release = SEED) -> Branch:
    return Branch(Shape(TOP, release))


def leaves(nr: int = 2) -> Branch:
    branch = top().below("leaves")
    branch.renew_children(nr)
    return branch


def test_releases_hide_what_is_newer() -> None:
    """A shape has the files and directories of its release and older ones."""
    assert top().names() == ["sum", "leaves"]
    assert top(NEXT).names() == ["sum", "leaves", "next"]
    assert leaves().below("0").names() == ["size"]


def test_counters_are_files() -> None:
    """The counter of children is a file among the others."""
    (counter,) = TOP.directories[0].all_files
    assert (counter.name, counter.role, counter.mode) == ("nr_leaves", Role.COUNTER, 0o600)
    assert leaves(3).value("nr_leaves") == 3


def test_children_are_found_by_number() -> None:
    """A numbered child has one name, and no other text leads to it."""
    branch = leaves(11)
    assert branch.names() == ["nr_leaves", *map(str, range(11))]
    for name in ("11", "-1", "01", "+1", "1 ", "", "a", "1.0", "\N{SUPERSCRIPT TWO}", "9" * 5000):
        assert branch.find(name) is None
    child = branch.find("10")
    assert child is not None
    assert child.path == "leaves/10"
    assert branch.find("10") is child


def test_values_are_kept_apart() -> None:
    """What is written to one child stays there."""
    branch = leaves()
    branch.below("0").set_value("size", 9)
    assert [child.value("size") for child in branch.children()] == [9, 7]


def test_newer_files_have_no_value() -> None:
    """Setting a file that the release has not changes nothing, and asking gives the default."""
    child = leaves().below("0")
    child.set_value("newer", 5)
    assert not child.has("newer")
    assert child.number("newer", 3) == 3
    assert child.number("size", 3) == 7


def test_new_children_are_fresh() -> None:
    """Children made anew forget what the old ones held, and the old ones are gone."""
    branch = leaves()
    old = branch.below("0")
    old.set_value("size", 9)
    branch.renew_children(2)
    assert old.is_gone
    assert branch.below("0").value("size") == 7
    assert "removed" in repr(old)


def test_what_is_below_is_gone_too() -> None:
    """A directory is gone when one above it was removed."""
    shape = Shape(Directory("root", child=TOP), SEED)
    root = Branch(shape)
    root.renew_children(1)
    inner = root.below("0/leaves")
    root.renew_children(0)
    assert inner.is_gone
    assert not root.is_gone


def test_too_many_children() -> None:
    """Too many children are ENOMEM, and then there are none."""
    branch = leaves()
    with pytest.raises(OSError, match="at most 1048576") as raised:
        branch.renew_children(MAX_CHILDREN + 1)
    assert raised.value.errno == errno.ENOMEM
    assert branch.nr_children == 0
    assert branch.find("0") is None


def test_rows_fill_children() -> None:
    """Children may come with values, and with names that do not start from 0."""
    branch = leaves()
    branch.renew_children(2, first=5, rows=[{"size": 1}, {"size": 2}])
    assert branch.names()[1:] == ["5", "6"]
    assert [child.value("size") for child in branch.children()] == [1, 2]
    assert branch.find("0") is None


def test_unknown_way() -> None:
    """A way that leads nowhere is ENOENT."""
    with pytest.raises(OSError, match="there is no leaves/5"):
        top().below("leaves/5")


NAMED = Directory("named", TOP.files, (LEAF,), named=LEAF)


def named(*names: str) -> Branch:
    """Return a directory with children of these names."""
    branch = Branch(Shape(NAMED, SEED))
    for name in names:
        branch.add(name)
    return branch


def test_named_children() -> None:
    """Children with names of their own come and go one by one, and are listed as they came."""
    branch = named("b", "a")
    assert branch.names() == ["sum", "leaf", "b", "a"]
    assert [child.path for child in branch.named_children()] == ["b", "a"]
    child = branch.below("b")
    child.set_value("size", 9)
    assert branch.remove("b") is child
    assert child.is_gone
    assert branch.names() == ["sum", "leaf", "a"]
    branch.add("b")
    assert branch.below("b").value("size") == 7
    assert list(top().named_children()) == []


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("", errno.EINVAL),
        (".", errno.EINVAL),
        ("..", errno.EINVAL),
        ("a/b", errno.EINVAL),
        ("a\0", errno.EINVAL),
        ("x" * 256, errno.EINVAL),
        ("a", errno.EEXIST),
        ("leaf", errno.EEXIST),
        ("sum", errno.EEXIST),
    ],
)
def test_names_that_cannot_be_given(name: str, number: int) -> None:
    """What is no name is EINVAL, and what is somebody's is EEXIST; nothing is made."""
    branch = named("a")
    with pytest.raises(OSError, match=r"is no name|already") as raised:
        branch.add(name)
    assert raised.value.errno == number
    assert branch.names() == ["sum", "leaf", "a"]


@pytest.mark.parametrize(
    ("name", "number"), [("c", errno.ENOENT), ("leaf", errno.EINVAL), ("sum", errno.EINVAL)]
)
def test_what_cannot_be_removed(name: str, number: int) -> None:
    """Only children that were made by name can be removed."""
    with pytest.raises(OSError, match=r"there is no|cannot be removed") as raised:
        named("a").remove(name)
    assert raised.value.errno == number


def test_named_children_need_a_declaration() -> None:
    """Where no children with names are declared, none can be made."""
    with pytest.raises(OSError, match="'a' is no name"):
        top().add("a")


def test_counted_children_leave_named_ones_alone() -> None:
    """Making numbered children anew keeps those with names."""
    branch = Branch(Shape(Directory("both", child=LEAF, counter="nr", named=LEAF), SEED))
    branch.renew_children(2)
    kept = branch.add("a")
    assert branch.below("1").name == "1"
    branch.renew_children(1)
    assert branch.names() == ["nr", "0", "a"]
    assert branch.find("a") is kept
    with pytest.raises(OSError, match="already"):
        branch.add("0")


def test_files_can_vanish() -> None:
    """A release has no files of which newer ones have got rid."""
    gone = Directory("top", (File("old", U64, until=NEXT), File("both", U64)))
    assert list(Shape(gone, SEED).files) == ["old", "both"]
    assert list(Shape(gone, NEXT).files) == ["both"]
