"""Text forms of option values."""

from __future__ import annotations

import math
from typing import Annotated, Any

import pytest
from cyclopts import App, CoercionError, Parameter

from damon_async.cli import quantities
from damon_async.cli.quantities import parse_mode, parse_path, parse_ranges, parse_seconds
from damon_async.errors import ParametersError, UnitError
from damon_async.params.ranges import AddressRange
from damon_async.records.writer import RecordForm
from damon_async.reports.colors import ColorSet


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("60", 60_000_000),
        ("1.5", 1_500_000),
        ("0", 0),
        ("500ms", 500_000),
        ("1 m 30 s", 90_000_000),
        ("0.0007", 700),
    ],
)
def test_bare_numbers_of_a_timeout_are_seconds(text: str, micros: int) -> None:
    """A number without a unit is seconds; a unit wins."""
    assert parse_seconds(text) == micros


@pytest.mark.parametrize("text", ["-1", "soon", "5 msec", ""])
def test_timeout_refuses_what_is_no_time(text: str) -> None:
    """What is not a time is refused."""
    with pytest.raises(UnitError, match=r"is not a time; expected a time such as '5ms'"):
        parse_seconds(text)


def test_ranges_come_in_one_word() -> None:
    """Several ranges stand in one string, apart by blanks."""
    assert parse_ranges("4K-8K 4M-1G") == (AddressRange("4K", "8K"), AddressRange("4M", "1G"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("4K", "expected start-end"), ("8K-4K", "must be below end"), ("a-b", "is not a size")],
)
def test_ranges_refuse_what_is_no_range(text: str, message: str) -> None:
    """What is not an ascending range is refused."""
    with pytest.raises(ParametersError, match=message):
        parse_ranges(text)


@pytest.mark.parametrize(("text", "mode"), [("600", 0o600), ("0644", 0o644), ("777", 0o777)])
def test_mode_is_octal(text: str, mode: int) -> None:
    """Permissions are read as chmod reads them."""
    assert parse_mode(text) == mode


@pytest.mark.parametrize("text", ["", "888", "rw", "-1", "77777", "0o600"])
def test_mode_refuses_what_is_not_octal(text: str) -> None:
    """What is not an octal number is refused."""
    with pytest.raises(UnitError, match="expected an octal number such as 600"):
        parse_mode(text)


@pytest.mark.parametrize("text", ["-", "x.data", "./-x"])
def test_paths_are_kept(text: str) -> None:
    """File names, and the dash that means stdout, are taken as they are."""
    assert parse_path(text) == text


@pytest.mark.parametrize("text", ["", "--seed", "-s"])
def test_path_that_looks_like_an_option_is_refused(text: str) -> None:
    """An option behind a forgotten file name is not taken for the name."""
    with pytest.raises(UnitError, match=r"expected a path, or '-' for stdout"):
        parse_path(text)


def parsed(kind: Any, *words: str) -> object:
    """Parse an option --x of a kind of value."""
    app = App(result_action="return_value")

    def command(*, x: object = None) -> object:
        return x

    command.__annotations__["x"] = Annotated[kind | None, Parameter(negative=())]
    app.default(command)
    return app(["--x", *words], exit_on_error=False, print_error=False)


choices = Annotated[tuple[ColorSet, ...], quantities.choices_of(ColorSet)]


@pytest.mark.parametrize(
    ("kind", "words", "value"),
    [
        (quantities.TimeUs, ["5ms"], 5_000),
        (quantities.TimeUs, ["5000"], 5_000),
        (quantities.TimeMs, ["1 s"], 1_000),
        (quantities.Seconds, ["5"], 5_000_000),
        (quantities.Bytes, ["4K"], 4_096),
        (quantities.Count, ["1,000"], 1_000),
        (quantities.Percent, ["0.5 %"], 0.5),
        (quantities.Mode, ["644"], 0o644),
        (quantities.OutPath, ["-"], "-"),
        (quantities.Ranges, ["4K-8K"], (AddressRange("4K", "8K"),)),
        (quantities.TimeTriple, ["5ms", "0.1s", "1 m"], (5_000, 100_000, 60_000_000)),
        (quantities.CountPair, ["10", "1,000"], (10, 1_000)),
        (quantities.GoalQuadruple, ["4%", "3", "5ms", "10s"], (400, 3, 5_000, 10_000_000)),
        (quantities.SizePair, ["4K", "max"], (4_096, 2**64 - 1)),
        (quantities.PercentPair, ["5%", "10.5"], (5, 10.5)),
        (quantities.TimePair, ["5", "1ms"], (5, 1_000)),
        (quantities.InstantPair, ["5", "1ms"], (5, 1_000_000)),
        (quantities.NumberPair, ["-2.5", "max"], (-2.5, math.inf)),
        (quantities.AddressPairs, ["4K", "8K", "--x", "1M", "2M"], ((4096, 8192), (2**20, 2**21))),
        (quantities.WholeNumbers, ["-5", "0", "1,000"], (-5, 0, 1_000)),
        (quantities.NumberTriple, ["0", "-1.5", "100"], (0, -1.5, 100)),
        (quantities.PercentileRange, ["100", "-1", "-25"], (100, -1, -25)),
        (quantities.Form, ["perf_script"], RecordForm.PERF_SCRIPT),
        (choices, ["flame", "gray"], (ColorSet.FLAME, ColorSet.GRAY)),
    ],
)
def test_kinds_of_values(kind: object, words: list[str], value: object) -> None:
    """Each kind reads the text forms of damo into its own unit."""
    assert parsed(kind, *words) == value


@pytest.mark.parametrize(
    ("kind", "words", "message"),
    [
        (quantities.TimeUs, ["5 msec"], "'5 msec' is not a time"),
        (quantities.Bytes, ["4k"], "'4k' is not a size"),
        (quantities.Count, ["1.5"], "'1.5' is not a count"),
        (quantities.TimeTriple, ["5ms", "-1", "1s"], "'-1' is not a time"),
        (quantities.GoalQuadruple, ["4%", "x", "5ms", "1s"], "'x' is not a number"),
        (quantities.OutPath, ["--seed"], "'--seed' is not a file name"),
        (quantities.NumberPair, ["one", "2"], "'one' is not a number"),
        (quantities.WholeNumbers, ["1", "1.5"], "'1.5' is not a count"),
    ],
)
def test_errors_name_the_option(kind: object, words: list[str], message: str) -> None:
    """The first bad word is named together with its option."""
    with pytest.raises(CoercionError, match=f"^Invalid value for --x: {message}"):
        parsed(kind, *words)
