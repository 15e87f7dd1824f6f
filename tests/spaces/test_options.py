"""Options in text form."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from pydantic import create_model

from damon_async.errors import ParametersError
from damon_async.params.base import Bp, Bytes, Count, Flag, Parameters, TimeUs
from damon_async.spaces.options import Option, build, options_of, split_path


class Recipe(Parameters, frozen=True):
    """Something with options of many kinds."""

    size: Bytes = 4096
    """How much, in bytes."""

    step_us: TimeUs = 0
    """How long, in microseconds."""

    hot_bp: Bp = 0
    nr: Count = 1
    is_flat: Flag = False


def problems_of(text: str, **given: object) -> list[str]:
    """Return what options are refused for."""
    with pytest.raises(ParametersError, match=r".") as caught:
        build(Recipe, text, given)
    return [str(problem) for problem in caught.value.problems]


def test_defaults() -> None:
    """No text at all means the defaults."""
    assert build(Recipe, "", {}) == build(Recipe, "  ", {}) == Recipe()


def test_all_kinds() -> None:
    """Values are read in damo's text forms."""
    made = build(Recipe, "size=1.5 GiB,step_us=5 ms,hot_bp=50 %,nr=7,is_flat=yes", {})
    assert made == Recipe(size=3 * 2**29, step_us=5_000, hot_bp=5_000, nr=7, is_flat=True)


def test_units_may_be_left_out() -> None:
    """The unit at the end of a name may be left out, and hyphens are underscores."""
    assert build(Recipe, "step=1s,hot=4%,is-flat=Y", {}) == Recipe(
        step_us=10**6, hot_bp=400, is_flat=True
    )


def test_commas_in_values() -> None:
    """A comma ends an option only where a name and an equals sign follow."""
    assert build(Recipe, "size=1,024,nr=2", {}) == Recipe(size=1024, nr=2)


def test_blanks() -> None:
    """Blanks around names and values do no harm."""
    assert build(Recipe, " size = 8K , nr = 2 ", {}) == Recipe(size=8192, nr=2)


def test_given() -> None:
    """What is given holds unless the text says otherwise."""
    assert build(Recipe, "nr=2", {"nr": 5, "size": 1}) == Recipe(size=1, nr=2)


def test_all_problems_at_once() -> None:
    """Unknown names, names that come twice and wrong values are all reported."""
    assert problems_of("size=4k,foo=1,nr=1,nr=2,step=x") == [
        "foo: no such option; the options are size, step_us, hot_bp, nr, is_flat",
        "nr: given twice",
        "size: '4k' is not a size; expected bytes, such as 4096, '4K', '1.5 GiB', 'min' or 'max'",
        "step_us: 'x' is not a time; expected a time such as '5ms', '1.5 s', '1 m 30 s', 'min' or 'max'",
    ]


def test_unknown_name_alone() -> None:
    """An unknown name is refused even if all else is right."""
    assert problems_of("colour=red")[0].startswith("colour: no such option; the options are size")


def test_two_names_of_one_option() -> None:
    """The short and the long name are one option."""
    assert problems_of("step=1s,step_us=2s") == ["step_us: given twice"]


@pytest.mark.parametrize("text", ["size", "4K", "=4K", ",nr=1"])
def test_no_equals_sign(text: str) -> None:
    """A part without a name and an equals sign is refused."""
    assert len(problems_of(text)) == 1


def test_options_of() -> None:
    """A help text can be made of a model: names, defaults and meanings."""
    assert list(options_of(Recipe))[:3] == [
        Option("size", 4096, "How much, in bytes."),
        Option("step_us", 0, "How long, in microseconds."),
        Option("hot_bp", 0, ""),
    ]


class LongRecipe(Recipe, frozen=True):
    """A recipe that says one thing otherwise and one thing more."""

    size: Bytes = 1
    """How little."""

    at: int = 0
    """
    Where it is.

    And why.
    """


def test_inherited_options() -> None:
    """Inherited options keep their texts unless they are defined anew."""
    assert [(option.name, option.text) for option in options_of(LongRecipe)] == [
        ("size", "How little."),
        ("step_us", "How long, in microseconds."),
        ("hot_bp", ""),
        ("nr", ""),
        ("is_flat", ""),
        ("at", "Where it is.\n\nAnd why."),
    ]


def test_options_without_source() -> None:
    """Without its source a model has names and defaults, but no texts."""
    made = create_model("Made", __base__=Parameters, size=(int, 5))
    assert list(options_of(made)) == [Option("size", 5, "")]


@pytest.mark.parametrize(
    ("text", "path", "options"),
    [
        ("a.cfg", "a.cfg", ""),
        ("a.cfg,repeat=2", "a.cfg", "repeat=2"),
        ("a.cfg,repeat=2,page_size=2M", "a.cfg", "repeat=2,page_size=2M"),
        ("/x, y/a,b.cfg,repeat=2", "/x, y/a,b.cfg", "repeat=2"),
        ("", "", ""),
    ],
)
def test_split_path(text: str, path: str, options: str) -> None:
    """A path ends where the first option begins, whatever commas it has."""
    assert split_path(text) == (path, options)


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 10_000))
def test_round_trip(size: int, step_us: int, hot_bp: int) -> None:
    """Numbers come through as they are."""
    made = build(Recipe, f"size={size},step={step_us},hot={hot_bp}", {})
    assert (made.size, made.step_us, made.hot_bp) == (size, step_us, hot_bp)
