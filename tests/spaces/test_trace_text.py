from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InputFileError
from damon_async.spaces import trace_text
from damon_async.spaces.trace_text import (
    Fields,
    TextBlock,
    split_fields,
    stream_blocks,
    text_blocks,
)

Compress = Callable[[bytes], bytes]

COMPRESSORS: dict[str, Compress] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}

HERE = Path("some.trace")


def fields_of(text: bytes, nr_fields: tuple[int, ...] = (2,), skip: bytes = b"#") -> Fields:
    return split_fields(TextBlock(HERE, text, 1), nr_fields, "A B", skip=skip)


def numbers(*texts: str, base: int = 10, prefix: bytes = b"") -> list[int]:
    lines = "".join(f"{text} x\n" for text in texts).encode()
    return list(fields_of(lines).numbers(0, base=base, prefix=prefix).tolist())


def seconds(*texts: str) -> list[int]:
    lines = "".join(f"x,{text}\n" for text in texts).encode()
    return list(fields_of(lines).seconds(1).tolist())


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compression_is_seen_from_the_content(tmp_path: Path, kind: str) -> None:
    """A compressed file is read whatever its name says."""
    path = tmp_path / "trace.txt"
    path.write_bytes(COMPRESSORS[kind](b"1 2\n3 4\n"))
    assert b"".join(block.text for block in text_blocks(path)) == b"1 2\n3 4\n"


def test_plain_text_is_read(tmp_path: Path) -> None:
    """A file that is not compressed is read as it is, even if its name says gz."""
    path = tmp_path / "trace.gz"
    path.write_bytes(b"1 2\n")
    assert [block.text for block in text_blocks(path)] == [b"1 2\n"]


def test_a_missing_line_end_is_added(tmp_path: Path) -> None:
    """The last line may lack its end."""
    path = tmp_path / "trace"
    path.write_bytes(b"1 2\n3 4")
    assert list(text_blocks(path)) == [TextBlock(path, b"1 2\n", 1), TextBlock(path, b"3 4\n", 2)]


def test_an_empty_file_has_no_blocks(tmp_path: Path) -> None:
    """An empty file is no error at this level."""
    path = tmp_path / "trace"
    path.touch()
    assert list(text_blocks(path)) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is said to be missing, with its path."""
    with pytest.raises(InputFileError, match=r"gone: cannot be read: No such file or directory$"):
        list(text_blocks(tmp_path / "gone"))


def test_a_directory_is_refused(tmp_path: Path) -> None:
    """A directory is not a trace."""
    with pytest.raises(InputFileError, match="cannot be read: Is a directory"):
        list(text_blocks(tmp_path))


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_truncation_is_told_with_the_line(tmp_path: Path, kind: str) -> None:
    """A compressed file that ends too early is an error with the line reached."""
    path = tmp_path / "trace"
    text = b"".join(b"%d %d\n" % (n, n * n % 977) for n in range(100_000))
    packed = COMPRESSORS[kind](text)
    path.write_bytes(packed[: len(packed) // 2])
    wrong = rf"trace, line \d+: the {kind} data end in the middle; the file is truncated$"
    with pytest.raises(InputFileError, match=wrong):
        list(text_blocks(path))


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_damage_is_told(tmp_path: Path, kind: str) -> None:
    """A flipped byte in a compressed file is an error, not a wrong trace."""
    path = tmp_path / "trace"
    packed = bytearray(COMPRESSORS[kind](b"".join(b"%d\n" % (n * n) for n in range(1000))))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(InputFileError, match=f"the {kind} data "):
        list(text_blocks(path))


def test_a_file_without_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text without line ends is refused before it fills the memory."""
    monkeypatch.setattr(trace_text, "LONGEST_LINE", 100)
    with pytest.raises(InputFileError, match="line 1: the line is longer than 100 bytes"):
        list(stream_blocks(io.BytesIO(b"x" * 1000), HERE))


@given(
    lines=st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), min_size=1),
    size=st.integers(1, 50),
)
def test_blocks_are_whole_lines(lines: list[bytes], size: int) -> None:
    """However the stream is cut, blocks are whole lines, numbered without a gap."""
    text = b"\n".join(lines) + b"\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace_text, "BLOCK_BYTES", size)
        blocks = list(stream_blocks(io.BytesIO(text), HERE))
    assert b"".join(block.text for block in blocks) == text
    line = 1
    for block in blocks:
        assert block.text.endswith(b"\n")
        assert block.first_line == line
        line += block.text.count(b"\n")


def test_fields_are_cut_at_blanks_and_commas() -> None:
    """Blanks, tabs and commas part fields; many count as one."""
    fields = fields_of(b"1,2\n 3 \t 4\r\n5, 6\n")
    assert fields.numbers(0).tolist() == [1, 3, 5]
    assert fields.numbers(1).tolist() == [2, 4, 6]


def test_empty_lines_and_comments_are_skipped() -> None:
    """Lines that hold nothing keep their number but make no row."""
    fields = fields_of(b"\n# no data\n1 2\n\n  \n3 4\n")
    assert fields.numbers(1).tolist() == [2, 4]
    assert fields.lines.tolist() == [3, 6]


def test_a_block_of_comments_has_no_rows() -> None:
    """A block in which everything is skipped is empty, not an error."""
    assert len(fields_of(b"# nothing\n\n").lines) == 0
    assert len(fields_of(b"\n").lines) == 0


def test_the_first_line_decides_the_width() -> None:
    """Where several widths are allowed, a block has one of them."""
    assert fields_of(b"1\n2\n", (1, 2)).starts.shape == (2, 1)
    with pytest.raises(InputFileError, match="line 2: '2 3' is not of the form 'A B'"):
        fields_of(b"1\n2 3\n", (1, 2))


def test_a_line_with_another_width_is_blamed() -> None:
    """A line with too many or too few fields is shown with its number."""
    with pytest.raises(InputFileError, match=r"some\.trace, line 3: '5' is not of the form 'A B'"):
        fields_of(b"1 2\n3 4\n5\n6 7\n")
    with pytest.raises(InputFileError, match="line 1: '1 2 3' is not"):
        fields_of(b"1 2 3\n")


def test_long_and_binary_lines_are_shortened() -> None:
    """A line that is shown in an error stays on one short line."""
    with pytest.raises(InputFileError, match=r"'\\\\xff+.*\.\.\.' is not of the form") as caught:
        fields_of(b"\xff" * 500 + b"\n")
    assert len(str(caught.value)) < 200


def test_numbers_of_both_bases() -> None:
    """Decimal and hexadecimal numbers are read, with and without a prefix."""
    assert numbers("0", "007", "123456789012345678") == [0, 7, 123456789012345678]
    assert numbers("ff", "FF", "7fffffffffffffff", base=16) == [255, 255, 2**63 - 1]
    assert numbers("0x10", "0xdeadbeef", base=16, prefix=b"0x") == [16, 0xDEADBEEF]


@pytest.mark.parametrize("text", ["-1", "1.5", "0x1", "1_0", "x", "1234567890123456789", "\u0661"])
def test_what_is_no_decimal_number_is_blamed(text: str) -> None:
    """A field that is no decimal number of at most 18 digits is an error."""
    with pytest.raises(InputFileError, match=r"line 2: .* is not of the form 'A B'"):
        numbers("1", text)


@pytest.mark.parametrize("text", ["0x", "x12", "10", "0xg", "0x8000000000000000", "0x" + "1" * 17])
def test_what_is_no_address_is_blamed(text: str) -> None:
    """A field that is no prefixed hexadecimal number below 2**63 is an error."""
    with pytest.raises(InputFileError, match=r"line 2: .* is not of the form 'A B'"):
        numbers("0x1", text, base=16, prefix=b"0x")


@given(st.lists(st.integers(0, 10**18 - 1), min_size=1, max_size=20))
def test_decimal_numbers_are_read_as_python_reads_them(values: list[int]) -> None:
    """Every number of up to 18 digits survives."""
    assert numbers(*map(str, values)) == values


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20))
def test_addresses_are_read_as_python_reads_them(values: list[int]) -> None:
    """Every address that fits in int64 survives."""
    assert numbers(*map(hex, values), base=16, prefix=b"0x") == values


def test_seconds_become_microseconds() -> None:
    """Seconds may have a fraction; digits past the sixth are cut off."""
    texts = ("1", "1.5", "0.000001", "2.", "3.1234567")
    assert seconds(*texts) == [1_000_000, 1_500_000, 1, 2_000_000, 3_123_456]


@pytest.mark.parametrize("text", ["1.x", ".5", "-1", "1.2.3", "1000000000000"])
def test_what_is_no_time_is_blamed(text: str) -> None:
    """A field that is no number of seconds is an error."""
    with pytest.raises(InputFileError, match=r"line 2: .* is not of the form 'A B'"):
        seconds("1", text)


def test_the_first_bad_line_is_blamed() -> None:
    """Of several bad lines the first one is shown."""
    with pytest.raises(InputFileError, match="line 2: 'b 2'"):
        fields_of(b"1 1\nb 2\nc 3\n").numbers(0)


def test_a_check_that_holds_is_silent() -> None:
    """A check blames nobody if all lines are good."""
    fields = fields_of(b"1 2\n")
    fields.check(np.array([True]))
    with pytest.raises(InputFileError, match="line 1: '1 2' is not of the form 'A B'"):
        fields.check(np.array([False]))
