from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given, strategies as st

from damon_async.control.profiles import NEXT, SEED, Profile, Release, read_release
from damon_async.control.values import (
    BOOL,
    I32,
    I32E,
    NR,
    PATH,
    POSITIVE_U64,
    U8,
    U32,
    U32E,
    U64,
    U64E,
    Integer,
    Keyword,
    Kind,
    refusal,
)

NEW = Release(6, 18)
NUMBERS = [U64, U64E, U32, U32E, U8, I32, I32E, NR, POSITIVE_U64]
EVERY_KIND: list[Kind] = [*NUMBERS, BOOL, PATH, Keyword.of("on off", v6_2="clear")]


def refused(kind: Kind, data: bytes) -> int:
    """Return the errno with which *kind* refuses *data*; 0 if it takes it."""
    try:
        kind.parse(data)
    except OSError as error:
        return error.errno or -1
    return 0


def test_profiles_have_releases() -> None:
    """Each profile names its release, and the latest one has all that is known."""
    releases = [profile.release for profile in Profile]
    assert releases == [SEED, (6, 1), (6, 12), (6, 18), NEXT]
    assert str(Profile.V6_12.release) == "6.12"


def test_releases_compare_as_numbers() -> None:
    """Release 6.9 is older than 6.12."""
    assert read_release("6.9") < read_release("6.12")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (b"0", 0),
        (b"7\n", 7),
        (b"+7\n", 7),
        (b"0x2", 2),
        (b"0X1f", 31),
        (b"010", 8),
        (b"00", 0),
        (b"12\0garbage", 12),
        (b"18446744073709551615", 2**64 - 1),
    ],
)
def test_numbers_are_read(text: bytes, number: int) -> None:
    """Decimal, octal and hexadecimal numbers are told by how they begin (statements 5, 6, 8)."""
    assert U64.parse(text) == number


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "abc", "7\n\n", " 7", "7 ", "7us", "7.0", "1_0", "1,0", "08", "0x", "0xg"),
        *("+", "-", "--1", "+-1", "-+1", "++1", "\N{SUPERSCRIPT TWO}", "\0007"),
    ],
)
def test_other_texts_are_no_numbers(kind: Integer, text: str) -> None:
    """What is not exactly a number is EINVAL in every class (statements 7 and 9)."""
    assert refused(kind, text.encode()) == errno.EINVAL


@pytest.mark.parametrize(
    ("kind", "largest", "old", "new"),
    [
        (U64, 2**64 - 1, errno.EINVAL, errno.ERANGE),
        (U64E, 2**64 - 1, errno.EINVAL, errno.EINVAL),
        (U32, 2**32 - 1, errno.EINVAL, errno.ERANGE),
        (U32E, 2**32 - 1, errno.EINVAL, errno.EINVAL),
        (I32, 2**31 - 1, errno.ERANGE, errno.ERANGE),
        (I32E, 2**31 - 1, errno.EINVAL, errno.EINVAL),
        (NR, 2**31 - 1, errno.ERANGE, errno.ERANGE),
    ],
)
def test_too_large_numbers(kind: Integer, largest: int, old: int, new: int) -> None:
    """One more than the largest number is refused as in the table (statements 11 to 16)."""
    assert kind.parse(b"%d" % largest) == largest
    assert refused(kind.at(SEED), b"%d" % (largest + 1)) == old
    assert refused(kind.at(NEW), b"%d" % (largest + 1)) == new


def test_overflow_comes_before_garbage() -> None:
    """Thirty digits and an x are too large before they are garbage."""
    assert refused(U64, b"9" * 30 + b"x") == errno.ERANGE
    assert refused(U64, b"9" * 5000) == errno.ERANGE
    assert refused(U64, b"0x" + b"f" * 17 + b"x") == errno.ERANGE
    assert refused(U32, b"5x") == errno.EINVAL


@pytest.mark.parametrize("kind", [U64, U64E, U32, U32E, U8, NR, POSITIVE_U64])
def test_minus_is_refused(kind: Integer) -> None:
    """Unsigned classes know no minus, and a count of -1 is no count (statement 10)."""
    assert refused(kind, b"-1") == errno.EINVAL


@pytest.mark.parametrize("kind", [I32, I32E])
def test_signed_numbers(kind: Integer) -> None:
    """Signed classes go from -2^31 to 2^31 - 1."""
    assert kind.parse(b"-1\n") == -1
    assert kind.parse(b"-2147483648") == -(2**31)
    assert refused(kind, b"-2147483649") == refused(kind, b"2147483648")


def test_least_number() -> None:
    """A class may have a least number."""
    assert POSITIVE_U64.parse(b"1") == 1
    assert refused(POSITIVE_U64, b"0") == errno.EINVAL


@given(st.sampled_from(NUMBERS), st.integers(-(2**31), 2**64))
def test_numbers_survive(kind: Integer, number: int) -> None:
    """A number that is taken reads back as decimal and is taken again."""
    text = b"%d\n" % number
    if not refused(kind, text):
        assert kind.show(kind.parse(text)) == text


@given(st.integers(0, 2**64 - 1))
def test_bases_agree(number: int) -> None:
    """A number is the same in every base."""
    assert U64.parse(b"%#x" % number) == U64.parse(f"0{number:o}".encode()) == number


@pytest.mark.parametrize("text", [b"1", b"y", b"on", b"Y\n", b"T", b"oN", b"yellow"])
def test_yes(text: bytes) -> None:
    """Yes is told by the first letter, or by the second one of on (statement 39)."""
    assert BOOL.parse(text) is True
    assert BOOL.show(True) == b"Y\n"


@pytest.mark.parametrize("text", [b"0", b"n", b"off", b"N\n", b"f", b"OF", b"no"])
def test_no(text: bytes) -> None:
    """No is told likewise (statement 39)."""
    assert BOOL.parse(text) is False
    assert BOOL.show(False) == b"N\n"


@pytest.mark.parametrize("text", [b"x", b"", b"\n", b"o", b"ox", b" 1", b"2", b"\0y"])
def test_neither(text: bytes) -> None:
    """Anything else is neither (statement 39)."""
    assert refused(BOOL, text) == errno.EINVAL


def test_enabled_is_new() -> None:
    """Old releases do not know that e stands for enabled."""
    assert BOOL.at(NEW).parse(b"enabled") is True
    assert BOOL.at(NEW).parse(b"d") is False
    assert refused(BOOL.at(SEED), b"enabled") == errno.EINVAL


def test_words_are_exact() -> None:
    """A word is taken as it is spelled, with one newline at most."""
    words = Keyword.of("on off")
    assert [words.parse(text) for text in (b"on", b"off\n", b"on\0ly")] == ["on", "off", "on"]
    for text in (b" on", b"on ", b"ON", b"on\n\n", b"", b"\n", b"o"):
        assert refused(words, text) == errno.EINVAL
    assert words.show("on") == b"on\n"


def test_words_have_releases() -> None:
    """A word is unknown before its release."""
    words = Keyword.of("on", v6_9="tuned")
    assert words.at(Release(6, 9)).parse(b"tuned") == "tuned"
    assert refused(words.at(Release(6, 8)), b"tuned") == errno.EINVAL


def test_words_can_be_left_out() -> None:
    """A class can be narrowed to some of its words, releases kept."""
    words = Keyword.of("a b", v6_9="c").only(["b", "c"])
    assert [word.text for word in words.words] == ["b", "c"]
    assert [word.text for word in words.at(SEED).words] == ["b"]


def test_paths_are_kept() -> None:
    """A path is kept to the byte up to a NUL, and a read adds a newline (statement 40)."""
    assert PATH.show(PATH.parse(b"/a\n")) == b"/a\n\n"
    assert PATH.show(PATH.parse(b"/a")) == b"/a\n"
    assert PATH.parse(b"/a\xff\0b") == b"/a\xff"
    assert PATH.show("") == b"\n"
    assert PATH.at(SEED) is PATH


@given(st.sampled_from(EVERY_KIND), st.sampled_from(list(Profile)), st.binary(max_size=40))
def test_any_bytes(kind: Kind, profile: Profile, data: bytes) -> None:
    """Whatever is written, it is taken or it is EINVAL or ERANGE."""
    kind = kind.at(profile.release)
    number = refused(kind, data)
    assert number in (0, errno.EINVAL, errno.ERANGE)
    if not number:
        assert kind.show(kind.parse(data)).endswith(b"\n")


def test_refusals_say_why() -> None:
    """A refusal has its errno, the usual words for it, and the reason."""
    error = refusal(errno.EBUSY, "it runs")
    assert error.errno == errno.EBUSY
    assert error.strerror == f"{os.strerror(errno.EBUSY)}: it runs"


def test_messages_name_what_would_be_right() -> None:
    """Whoever writes a wrong word is told the right ones."""
    with pytest.raises(OSError, match=r"b'of' is not one of on, off"):
        Keyword.of("on off").parse(b"of")
    with pytest.raises(OSError, match=r"does not fit signed 32 bits"):
        I32.parse(b"99999999999")
