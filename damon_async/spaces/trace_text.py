"""
Trace files as blocks of whole lines, and lines as columns of numbers.

A trace of some seconds has millions of lines, far too many for a Python loop
over them. So text is read in blocks of a fixed size, and each block is cut
into fields and turned into integers by whole-array steps. Memory is bounded by
the block, however long the file is.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from ..arrays import BoolArray, IntArray
from ..errors import InputFileError

BLOCK_BYTES = 1 << 18
"""Decompressed text read at once. Larger blocks were not faster."""

LONGEST_LINE = 1 << 24
"""Bytes; a file without a line end for so long is not a trace."""

_OPENERS: tuple[tuple[bytes, str, Callable[[Path], object]], ...] = (
    (b"\x1f\x8b", "gzip", gzip.open),
    (b"\xfd7zXZ\x00", "xz", lzma.open),
    (b"BZh", "bzip2", bz2.open),
)
"""First bytes of a compressed file, its kind, how it is read."""

# One look-up per byte is faster than comparing with each of the five.
_SEPARATES = np.isin(np.arange(256), list(b" ,\t\r\n"))

# 255 is larger than any base, so a byte that is no digit fails every check.
_DIGIT = np.full(256, 255, dtype=np.uint8)
_DIGIT[list(b"0123456789")] = range(10)
_DIGIT[list(b"abcdef")] = _DIGIT[list(b"ABCDEF")] = range(10, 16)

_MOST_DIGITS = {10: 18, 16: 16}
"""What surely fits: 18 decimal digits; 16 hexadecimal ones if bit 63 is clear."""

# Numbers are read as windows that end with their last digit; the margin lets
# the window of the first number of a block begin before it.
_MARGIN = b"\n" * max(_MOST_DIGITS.values())


@dataclass(frozen=True, slots=True)
class TextBlock:
    """
    Some whole lines of a trace.

    Attributes:
        path: The file, for error messages.

        text: The lines, each with its line end.

        first_line: Number of the first of them, counted from 1.
    """

    path: Path
    text: bytes
    first_line: int


def text_blocks(path: Path) -> Iterator[TextBlock]:
    """
    Read a plain, gzip, xz or bzip2 file as blocks of whole lines.

    What the file is compressed with is seen from its first bytes; its name does
    not matter.

    Raises:
        InputFileError: If the file cannot be read, is damaged or truncated, or
            has a line longer than ``LONGEST_LINE``.
    """
    try:
        kind, opener = _compression(path)
        # The standard library's openers share a protocol but no base class.
        stream = cast("BinaryIO", opener(path))
    except OSError as error:
        raise InputFileError(path, f"cannot be read: {error.strerror}") from error
    with stream:
        yield from stream_blocks(stream, path, kind)


def stream_blocks(stream: BinaryIO, path: Path, kind: str = "file") -> Iterator[TextBlock]:
    """
    Read an open stream, a pipe for example, as blocks of whole lines.

    Args:
        stream: Decompressed bytes; left open.

        path: What to call it in error messages.

        kind: What sort of data it is, likewise.

    Raises:
        InputFileError: As ``text_blocks``.
    """
    rest, line = b"", 1
    try:
        # Decompression errors come out of read(), after all the text before them
        # has been handed on; so they can be told with a line.
        for piece in iter(partial(stream.read, BLOCK_BYTES), b""):
            whole, newline, tail = piece.rpartition(b"\n")
            if newline:
                yield TextBlock(path, rest + whole + newline, line)
                line += whole.count(b"\n") + 1
                rest = b""
            # What is left waits for the rest of its line.
            rest += tail
            _check_length(path, rest, line)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputFileError(path, _damage(kind, error), line) from error
    if rest:
        # The last line of a file written by hand often lacks its end.
        yield TextBlock(path, rest + b"\n", line)


def _compression(path: Path) -> tuple[str, Callable[[Path], object]]:
    # Opened a second time afterwards, because the openers want the magic too.
    with path.open("rb") as stream:
        head = stream.read(8)
    for magic, kind, opener in _OPENERS:
        if head.startswith(magic):
            return kind, opener
    return "file", partial(open, mode="rb")


def _check_length(path: Path, rest: bytes, line: int) -> None:
    if len(rest) > LONGEST_LINE:
        wrong = f"the line is longer than {LONGEST_LINE} bytes; this is not a trace"
        raise InputFileError(path, wrong, line)


def _damage(kind: str, error: Exception) -> str:
    # All three decompressors say so if their end mark is missing.
    if isinstance(error, EOFError):
        return f"the {kind} data end in the middle; the file is truncated"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"the {kind} data cannot be read: {reason}"


@dataclass(frozen=True, slots=True)
class Fields:
    """
    The fields of the lines of a block, all lines having equally many.

    Attributes:
        path: The file.

        raw: uint8, the text with a margin before it.

        starts: int64, shape (nr_lines, nr_fields), index of the first byte.

        ends: int64, shape (nr_lines, nr_fields), one past the last byte.

        lines: int64, shape (nr_lines,), line numbers counted from 1.

        expected: What a line should look like, for error messages.
    """

    path: Path
    raw: np.ndarray[tuple[int], np.dtype[np.uint8]]
    starts: IntArray
    ends: IntArray
    lines: IntArray
    expected: str

    def first_bytes(self, column: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """Return the first byte of each field of *column*."""
        return self.raw[self.starts[:, column]]

    def numbers(self, column: int, *, base: int = 10, prefix: bytes = b"") -> IntArray:
        """
        Read a column of whole numbers.

        Args:
            column: Which field.

            base: 10 or 16.

            prefix: What each number begins with, e.g. ``0x``.

        Raises:
            InputFileError: If a field is no such number, or above 2**63 - 1.
        """
        starts, ends = self.starts[:, column], self.ends[:, column]
        # Behind every field comes a separator, so a short one cannot overrun, and
        # the separator is no part of any prefix.
        for offset, byte in enumerate(prefix):
            self.check(self.raw[starts + offset] == byte)
        return self._digits(starts + len(prefix), ends, base)

    def seconds(self, column: int) -> IntArray:
        """
        Read a column of seconds, with or without a decimal fraction.

        Returns:
            Whole microseconds; digits past the sixth are cut off.

        Raises:
            InputFileError: If a field is no such number.
        """
        starts, ends = self.starts[:, column], self.ends[:, column]
        # The sentinel spares a special case for text without any point.
        points = np.append(np.flatnonzero(self.raw == ord(".")), len(self.raw))
        point = np.minimum(points[np.searchsorted(points, starts)], ends)
        # Without a point, or with nothing behind it, the fraction is empty: 0.
        fraction = np.minimum(point + 1, ends)
        cut = np.minimum(fraction + 6, ends)
        unit: IntArray = 10 ** (6 - (cut - fraction))
        fine = self._digits(fraction, cut, 10, shortest=0) * unit
        whole = self._digits(starts, point, 10)
        # Thirty thousand years; more would not fit in microseconds.
        self.check(np.less(whole, 10**12))
        return whole * 1_000_000 + fine

    def _digits(
        self, starts: IntArray, ends: IntArray, base: int, *, shortest: int = 1
    ) -> IntArray:
        lengths = ends - starts
        self.check((lengths >= shortest) & (lengths <= _MOST_DIGITS[base]))
        width = max(1, int(lengths.max()))
        # Right-aligned, so that the last column is the units of every number.
        windows = np.lib.stride_tricks.sliding_window_view(self.raw, width)
        digits = _DIGIT[windows[ends - width]]
        # Shorter numbers have bytes of the field before them in their window.
        digits[np.arange(width) < width - lengths[:, None]] = 0
        self.check(np.asarray((digits < base).all(axis=1)))
        values: IntArray = digits.astype(np.int64) @ (base ** np.arange(width - 1, -1, -1))
        # Sixteen hexadecimal digits may set the sign bit.
        self.check(values >= 0)
        return values

    def check(self, good: BoolArray) -> None:
        """
        Blame the first line that is not good, if any.

        Args:
            good: bool, shape (nr_lines,).

        Raises:
            InputFileError: If a line is not good.
        """
        if good.all():
            return
        # False is the least, and argmin finds the first of equal ones.
        row = int(np.argmin(good))
        text = self.raw[self.starts[row, 0] : self.ends[row, -1]].tobytes()
        raise bad_line(self.path, text, self.expected, int(self.lines[row]))


def split_fields(
    block: TextBlock, nr_fields: Sequence[int], expected: str, *, skip: bytes = b"#"
) -> Fields:
    """
    Cut the lines of a block at blanks and commas.

    Args:
        block: Whole lines. Empty ones are left out.

        nr_fields: How many fields a line may have; the first line decides
            which of them holds for the block.

        expected: What a line should look like, for error messages.

        skip: Lines that begin with one of these bytes are left out.

    Returns:
        The fields; of no lines at all if everything was left out.

    Raises:
        InputFileError: If a line has another number of fields.
    """
    raw = np.frombuffer(_MARGIN + block.text, dtype=np.uint8)
    separates = _SEPARATES[raw]
    # The margin separates and so does the last line end: fields come in pairs of edges.
    edges = np.flatnonzero(separates[:-1] != separates[1:]) + 1
    starts, ends = edges[0::2], edges[1::2]
    line_ends = np.flatnonzero(raw == ord("\n"))[len(_MARGIN) :]
    # Both are sorted: how many fields begin before each line end tells whose
    # line each field is, without looking at fields one by one.
    nr_until = np.searchsorted(starts, line_ends)
    counts = np.diff(nr_until, prepend=0)
    firsts = nr_until - counts
    rows = np.flatnonzero(counts)
    rows = rows[~np.isin(raw[starts[firsts[rows]]], list(skip))]
    width = _width(counts[rows], nr_fields)
    _check_counts(block, rows, counts, width, expected)
    cells = firsts[rows, None] + np.arange(width)
    return Fields(block.path, raw, starts[cells], ends[cells], rows + block.first_line, expected)


def _width(counts: IntArray, nr_fields: Sequence[int]) -> int:
    # A first line that fits no width is blamed like any other, by its count.
    first = int(counts[0]) if len(counts) else 0
    return first if first in nr_fields else nr_fields[0]


def _check_counts(
    block: TextBlock, rows: IntArray, counts: IntArray, width: int, expected: str
) -> None:
    wrong = rows[counts[rows] != width]
    if len(wrong):
        row = int(wrong[0])
        text = block.text.split(b"\n", row + 1)[row]
        raise bad_line(block.path, text, expected, block.first_line + row)


def bad_line(path: str | os.PathLike[str], text: bytes, expected: str, line: int) -> InputFileError:
    """Make the error that shows a line beside what was expected."""
    # The file may be anything; its bytes must not reach a terminal as they are.
    shown = text.decode("utf-8", errors="backslashreplace").strip()
    if len(shown) > 60:
        shown = shown[:57] + "..."
    return InputFileError(path, f"{shown!r} is not of the form {expected!r}", line)
