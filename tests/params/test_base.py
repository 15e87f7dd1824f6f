"""The common ground of parameter models: paths, positions, lists of mistakes."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import ParametersError, Problem, UnitError
from damon_async.params.base import Count, Parameters, join_paths, parse_count, path_text, refuse


class Leaf(Parameters, frozen=True):
    """A model with a plain field."""

    nr: Count = 1


class Branch(Parameters, frozen=True):
    """A model that holds models."""

    name: str
    leaf: Leaf = Leaf()
    leaves: tuple[Leaf, ...] = ()


def problems_of(*args: object, **fields: object) -> list[str]:
    """Return what is wrong with a Branch of these values."""
    make: type[Parameters] = Branch
    with pytest.raises(ParametersError, match=r".") as caught:
        make(*args, **fields)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("location", "text"),
    [
        ((), ""),
        (("targets",), "targets"),
        (("targets", 0, "pid"), "targets[0].pid"),
        ((0, 1), "[0][1]"),
    ],
)
def test_path_text(location: tuple[int | str, ...], text: str) -> None:
    """Paths are written as one would write them in a program."""
    assert path_text(location) == text


@given(st.lists(st.integers(0, 9) | st.sampled_from("ab")), st.integers(0, 5))
def test_join_paths(location: list[int | str], cut: int) -> None:
    """A path that is cut anywhere joins to what it was."""
    outer, inner = path_text(tuple(location[:cut])), path_text(tuple(location[cut:]))
    assert join_paths(outer, inner) == path_text(tuple(location))


def test_all_levels_report() -> None:
    """Mistakes of all levels come in one list, each with its whole path."""
    wrong = problems_of(leaf={"nr": "x"}, leaves=[{"nr": -1}, {"nr": 2}, {"extra": 0}, 7], more=1)
    paths = [problem.partition(":")[0] for problem in wrong]
    assert paths == ["name", "leaf.nr", "leaves[0].nr", "leaves[2].extra", "leaves[3]", "more"]


def test_messages_speak_our_language() -> None:
    """The commonest mistakes are told in our words, not in those of the library."""
    assert problems_of(leaf=3, leaves=4, more=5) == [
        "name: missing, but required",
        "leaf: must be an object with named values",
        "leaves: must be a list",
        "more: no such parameter",
    ]


def test_other_messages_are_kept() -> None:
    """What the library says about a simple type is passed on."""
    assert problems_of(name=5) == ["name: Input should be a valid string"]


def test_positions() -> None:
    """Fields may be given by position, in their order."""
    make: type[Parameters] = Branch
    assert make("oak", Leaf()) == Branch(name="oak", leaf=Leaf())


@pytest.mark.parametrize(
    ("args", "fields", "wrong"),
    [
        ((1, 2, 3, 4), {}, "4 values given"),
        (("oak",), {"name": "elm"}, "name given twice"),
    ],
)
def test_bad_positions(args: tuple[object, ...], fields: dict[str, object], wrong: str) -> None:
    """Too many values, or one given twice, are the program's fault: a TypeError."""
    make: type[Parameters] = Branch
    with pytest.raises(TypeError, match=f"Branch takes name, leaf, leaves; {wrong}"):
        make(*args, **fields)


def test_frozen() -> None:
    """A model that was made does not change."""
    with pytest.raises(ValueError, match="Instance is frozen"):
        Leaf().nr = 2  # type: ignore[misc] # that is the point


def test_equal_models_are_one_key() -> None:
    """Equal models are equal keys."""
    assert {Leaf(nr=3): "a"}[Leaf(nr=3)] == "a"


def test_refuse_nothing() -> None:
    """A model without problems passes."""
    refuse(())


def test_refuse_all() -> None:
    """A model with problems is refused with all of them."""
    with pytest.raises(ParametersError, match="2 problems: a: bad; b: bad"):
        refuse(Problem(path, "bad") for path in "ab")


@pytest.mark.parametrize(("value", "count"), [("1,000", 1000), (7, 7), (7.0, 7)])
def test_count(value: float | str, count: int) -> None:
    """A count is a whole number."""
    assert parse_count(value) == count


def test_count_is_whole() -> None:
    """Half a region is refused rather than cut off."""
    with pytest.raises(UnitError, match=r"1\.5 is not a count; expected a whole number"):
        parse_count(1.5)
