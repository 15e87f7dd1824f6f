from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from damon_async.testing.tape import Tape, TapeError, format_tape, parse_tape

TAPES = st.dictionaries(st.integers(0, 10**6), st.integers(1, 99)).map(
    lambda deviations: tuple(sorted(deviations.items()))
)


@given(TAPES)
def test_round_trip(tape: Tape) -> None:
    """What is written as text is read as the same tape."""
    assert parse_tape(format_tape(tape)) == tape


@pytest.mark.parametrize(
    ("text", "tape"),
    [("", ()), (" ", ()), ("3:1,17:2", ((3, 1), (17, 2))), (" 0:1 , 2:3 ", ((0, 1), (2, 3)))],
)
def test_texts(text: str, tape: Tape) -> None:
    """Tapes are short texts; empty is first come, first served."""
    assert parse_tape(text) == tape


@pytest.mark.parametrize("text", ["3", "3:0", "-1:1", "3:1;4:1", "a:b", "3:1,", "3:1,,4:1"])
def test_malformed_texts(text: str) -> None:
    """Parts of a tape are a step and how many are overtaken, at least 1."""
    with pytest.raises(TapeError, match=r"is not step:overtaken; a tape is like '3:1,17:2'$"):
        parse_tape(text)


@pytest.mark.parametrize("text", ["3:1,3:1", "4:1,3:1"])
def test_steps_ascend(text: str) -> None:
    """Each step of a tape comes after the one before."""
    with pytest.raises(TapeError, match=r"is no tape: step 3 comes after step [34];"):
        parse_tape(text)
