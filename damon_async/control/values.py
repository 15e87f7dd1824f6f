"""
The classes of values that files hold: how text is read and printed.

A class is asked for its form ``at`` a release once, when a tree is made; from
then on reading and printing are pure functions that know no releases.

Text is a C string: it ends at the first NUL.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol, Self, TypeAlias

from .profiles import SEED, Release, read_release

Value: TypeAlias = int | bool | str | bytes
"""What a file holds."""

U64_LIMIT: Final = 2**64

RANGE_SINCE: Final = Release(6, 1)
"""From here on too large numbers are ERANGE; the exact release is not known."""

ENABLED_SINCE: Final = Release(6, 12)
"""From here on e and d are booleans; the exact release is not known."""

NUMBER: Final = re.compile(rb"(0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]*)(.*)", re.DOTALL)
"""Prefix, digits of any base, rest."""


def refusal(number: int, why: str) -> OSError:
    """Return the error that a file answers with: its errno, its usual words, and why."""
    return OSError(number, f"{os.strerror(number)}: {why}")


def c_text(data: bytes) -> bytes:
    """Return *data* up to the first NUL, as the kernel sees it."""
    return data.partition(b"\0")[0]


class Kind(Protocol):
    """A class of values."""

    def at(self, release: Release) -> Kind:
        """Return the form that the class has in *release*."""
        ...

    def parse(self, data: bytes) -> Value:
        """
        Read what was written.

        Raises:
            OSError: If it is no value of the class.
        """
        ...

    def show(self, value: Value) -> bytes:
        """Print a value as it is read from the file."""
        ...


@dataclass(frozen=True, slots=True)
class Integer:
    """
    Whole numbers.

    Attributes:
        bits: How many there are to store it.

        is_signed: Whether one of them is a sign.

        is_flat: Whether a number that is too large is EINVAL, not ERANGE.

        is_flat_in_seed: Whether that was so before 6.1.

        least: What is EINVAL below it.

    Source:
        spec interfaces 0.3. Differs: of numbers with less than 64 bits, garbage
        behind a number that is too large is what is noticed first.
    """

    bits: int
    is_signed: bool = False
    is_flat: bool = False
    is_flat_in_seed: bool = False
    least: int | None = None

    def at(self, release: Release) -> Integer:
        """Return the form that the class has in *release*."""
        is_flat = self.is_flat or (self.is_flat_in_seed and release < RANGE_SINCE)
        return replace(self, is_flat=is_flat)

    def parse(self, data: bytes) -> int:
        """
        Read a number: decimal, 0x and hexadecimal, or 0 and octal.

        Raises:
            OSError: EINVAL if it is none, or below the least; ERANGE (or EINVAL)
                if it is too large.
        """
        # What nearly everybody writes; the grammar below would say the same.
        digits = data[:-1] if data.endswith(b"\n") else data
        if digits.isdigit() and digits[0] != 0x30 and len(digits) < 20:
            return self._checked(int(digits), data)
        text = c_text(data)
        is_negative = self.is_signed and text.startswith(b"-")
        if is_negative or text.startswith(b"+"):
            text = text[1:]
        number = self._magnitude(text, data)
        return self._checked(-number if is_negative else number, data)

    def show(self, value: Value) -> bytes:
        """Print it in decimal."""
        return b"%d\n" % int(value)

    def _magnitude(self, text: bytes, data: bytes) -> int:
        """Read digits, at most one newline, and nothing more."""
        found = NUMBER.fullmatch(text)
        # The expression matches every text.
        prefix, digits, rest = found.groups() if found else (None, b"", b"")
        base = 16 if prefix else 8 if digits.startswith(b"0") else 10
        run = digits if base == 16 else _leading(digits, base)
        if not run:
            raise refusal(errno.EINVAL, f"{data!r} is not a number")
        # Python refuses to read thousands of decimal digits; they are too many anyway.
        number = int(run if base != 10 else run[:40], base)
        # Noticed digit by digit, so before anybody looks at what follows.
        if number >= U64_LIMIT:
            raise self._too_large(data)
        if digits[len(run) :] + rest not in (b"", b"\n"):
            raise refusal(errno.EINVAL, f"{data!r} is not a number; something follows it")
        return number

    def _checked(self, number: int, data: bytes) -> int:
        span = self.bits - self.is_signed
        if not -(2**span) * self.is_signed <= number < 2**span:
            raise self._too_large(data)
        if self.least is not None and number < self.least:
            raise refusal(errno.EINVAL, f"{number} is too small; at least {self.least}")
        return number

    def _too_large(self, data: bytes) -> OSError:
        number = errno.EINVAL if self.is_flat else errno.ERANGE
        sign = "signed " if self.is_signed else ""
        return refusal(number, f"{data[:64]!r} does not fit {sign}{self.bits} bits")


def _leading(digits: bytes, base: int) -> bytes:
    """Return the digits of *base* that *digits* begin with."""
    allowed = b"01234567" if base == 8 else b"0123456789"
    for index, digit in enumerate(digits):
        if digit not in allowed:
            return digits[:index]
    return digits


U64: Final = Integer(64, is_flat_in_seed=True)
U64E: Final = Integer(64, is_flat=True)
U32: Final = Integer(32, is_flat_in_seed=True)
U32E: Final = Integer(32, is_flat=True)
U8: Final = Integer(8)
I32: Final = Integer(32, is_signed=True)
I32E: Final = Integer(32, is_signed=True, is_flat=True)
NR: Final = Integer(32, is_signed=True, least=0)
POSITIVE_U64: Final = Integer(64, is_flat_in_seed=True, least=1)


@dataclass(frozen=True, slots=True)
class Bool:
    """
    Yes or no, told by the first letter, or by the second one of on and off.

    Attributes:
        knows_enabled: Whether e and d are known, too.

    Source:
        spec interfaces 0.3.
    """

    knows_enabled: bool = True

    def at(self, release: Release) -> Bool:
        """Return the form that the class has in *release*."""
        return Bool(knows_enabled=release >= ENABLED_SINCE)

    def parse(self, data: bytes) -> bool:
        """
        Read an answer.

        Raises:
            OSError: EINVAL if it is neither.
        """
        text = c_text(data)[:2].lower()
        yes, no = (b"yt1e", b"nf0d") if self.knows_enabled else (b"yt1", b"nf0")
        # Of an empty text, and every text has it in it.
        if text[:1] and (text[:1] in yes or text == b"on"):
            return True
        if text[:1] and (text[:1] in no or text == b"of"):
            return False
        raise refusal(errno.EINVAL, f"{data[:64]!r} is neither Y nor N")

    def show(self, value: Value) -> bytes:
        """Print Y or N."""
        return b"Y\n" if value else b"N\n"


BOOL: Final = Bool()


@dataclass(frozen=True, slots=True)
class Word:
    """
    One keyword.

    Attributes:
        text: Spelled exactly.

        since: The first release that knows it.
    """

    text: str
    since: Release = SEED


@dataclass(frozen=True, slots=True)
class Keyword:
    """
    One of a list of words.

    Attributes:
        words: In the order of the documentation.

    Source:
        spec interfaces 0.3.
    """

    words: tuple[Word, ...]

    @classmethod
    def of(cls, seed: str = "", **newer: str) -> Self:
        """
        Return the class of the words in texts, separated by blanks.

        Args:
            seed: Words of 5.18.

            newer: Words of other releases, ``v6_11`` being the name for 6.11.
        """
        words = [Word(text) for text in seed.split()]
        for name, texts in newer.items():
            since = read_release(name[1:].replace("_", "."))
            words += [Word(text, since) for text in texts.split()]
        return cls(tuple(words))

    def at(self, release: Release) -> Keyword:
        """Return the form that the class has in *release*."""
        return Keyword(tuple(word for word in self.words if word.since <= release))

    def only(self, texts: Iterable[str]) -> Keyword:
        """Return the class without the words that are not among *texts*."""
        kept = set(texts)
        return Keyword(tuple(word for word in self.words if word.text in kept))

    def parse(self, data: bytes) -> str:
        """
        Read a word, with one newline after it or none.

        Raises:
            OSError: EINVAL if it is not in the list.
        """
        text = c_text(data)
        text = text[:-1] if text.endswith(b"\n") else text
        for word in self.words:
            if word.text.encode() == text:
                return word.text
        known = ", ".join(word.text for word in self.words)
        raise refusal(errno.EINVAL, f"{data[:64]!r} is not one of {known}")

    def show(self, value: Value) -> bytes:
        """Print the word."""
        return str(value).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class PathText:
    """
    Any text, kept to the byte, final newline included.

    Source:
        spec interfaces 0.3.
    """

    def at(self, release: Release) -> PathText:
        """Return itself: it has always been so."""
        del release
        return self

    def parse(self, data: bytes) -> bytes:
        """Return the text."""
        return c_text(data)

    def show(self, value: Value) -> bytes:
        """Print the text and one more newline."""
        text = value if isinstance(value, bytes) else str(value).encode()
        return text + b"\n"


PATH: Final = PathText()


@dataclass(frozen=True, slots=True)
class KeptText:
    """
    Text that what stands behind the tree reads and prints itself, to the byte.

    Source:
        spec interfaces 4.3.
    """

    def at(self, release: Release) -> KeptText:
        """Return itself: it has always been so."""
        del release
        return self

    def parse(self, data: bytes) -> bytes:
        """Return the text."""
        return c_text(data)

    def show(self, value: Value) -> bytes:
        """Return the text."""
        return value if isinstance(value, bytes) else str(value).encode()


KEPT: Final = KeptText()
