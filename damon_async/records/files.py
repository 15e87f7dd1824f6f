"""
Record files: find out which form they have, read them, write them.

Source:
    spec damo 4. Differs: the first bytes decide, not file(1), so plain JSON is
    read wherever it lies; gz and xz around any form are undone.
"""

from __future__ import annotations

import gzip
import lzma
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ..errors import InputFileError, InvalidError
from .json_read import parse_json
from .perf_script import parse_script
from .record import Record
from .writer import RecordForm, RecordWriter

# First bytes and not endings of names: files are renamed, and damo decides by
# content, too (spec damo 4).
_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_PERF_DATA: Final = b"PERFILE2"
_BINARY_RECORD: Final = b"damon_recfmt_ver"

_CUT: Final = "truncated: the compressed data ends early"


def read_records(path: str | os.PathLike[str]) -> list[Record]:
    """
    Read a record file.

    Args:
        path: json_compressed, json or perf_script text; also those in gz or xz.

    Returns:
        At least one record, in the order of the file.

    Raises:
        InputFileError: If it cannot be read, ends early, or is something else;
            the sentence says what and where.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputFileError(path, error.strerror or str(error)) from None
    text = _text(_unpacked(data, path), path)
    # Packed and unpacked would otherwise both lie in memory while the text is
    # read.
    del data
    records = _parse(text, path)
    if not records:
        raise InputFileError(path, "holds no records")
    return records


def write_records(
    path: str | os.PathLike[str],
    records: Iterable[Record],
    form: RecordForm | str = RecordForm.JSON_COMPRESSED,
    *,
    mode: int = 0o600,
) -> None:
    """
    Write a record file; it appears when it is complete.

    Args:
        path: Where.

        records: What; perf_script keeps neither intervals nor data sources.

        form: How.

        mode: Permissions of the file.

    Raises:
        InvalidError: If nothing can be written there.
    """
    with RecordWriter(path, form, mode=mode) as writer:
        for record in records:
            writer.add_record(record)


def _parse(text: str, path: str | os.PathLike[str]) -> list[Record]:
    # JSON of records begins with a bracket; no line of a trace does.
    if text.lstrip()[:1] not in {"[", "{", ""}:
        return parse_script(text.splitlines(), path)
    try:
        return parse_json(text)
    except InvalidError as error:
        raise InputFileError(path, str(error)) from None


def _unpacked(data: bytes, path: str | os.PathLike[str]) -> bytes:
    """Undo gz and xz, then the zlib of json_compressed."""
    try:
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
        elif data.startswith(_XZ):
            data = lzma.decompress(data)
        return _inflated(data, path) if _is_zlib(data) else data
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        # gzip has an exception of its own for this, lzma only a sentence.
        if isinstance(error, EOFError) or "ended before the end" in str(error):
            raise InputFileError(path, _CUT) from None
        raise InputFileError(path, f"broken: the compressed data is damaged ({error})") from None


def _is_zlib(data: bytes) -> bool:
    # RFC 1950: method 8, and the first two bytes are a multiple of 31.
    return len(data) > 1 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0


def _inflated(data: bytes, path: str | os.PathLike[str]) -> bytes:
    # Not zlib.decompress: its error for data that ends early is that for damage.
    inflate = zlib.decompressobj()
    text = inflate.decompress(data)
    if not inflate.eof:
        raise InputFileError(path, _CUT)
    return text


def _text(data: bytes, path: str | os.PathLike[str]) -> str:
    for mark, kind in ((_PERF_DATA, "perf.data"), (_BINARY_RECORD, "an old binary record")):
        if data.startswith(mark):
            way = f"not supported: this is {kind}; turn it into text with `perf script` or damo"
            raise InputFileError(path, way)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        wrong = "not a record: expected json_compressed, json or perf_script text"
        raise InputFileError(path, wrong) from None
