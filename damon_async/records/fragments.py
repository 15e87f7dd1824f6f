"""
Parts of a file that grow side by side and are put together at the end.

A recording of several targets is one list per target, one after the other,
while its snapshots arrive in turn. Each list is a fragment. Compressed ones are
closed on a byte border without being final, so that they can simply be
concatenated; only the checksum of the whole has to be worked out from theirs.

Source:
    RFC 1950 (zlib format, Adler-32), RFC 1951 (deflate blocks).
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from collections.abc import Iterable
from typing import IO, Final

_BASE: Final = 65_521
"""The modulus of Adler-32."""

_HEADER: Final = b"\x78\x01"
"""Deflate with a window of 32 KiB, fastest level."""

_LAST_BLOCK: Final = b"\x03\x00"
"""An empty final block."""

_IN_MEMORY: Final = 4 * 2**20
"""Bytes that a fragment keeps in memory before it moves into a temporary file."""

# Level 1 takes half the time of the default and makes a sixth more bytes.
_LEVEL: Final = 1


class Fragment:
    """Bytes that wait to become part of a file."""

    def __init__(self) -> None:
        self._spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """Add *data*."""
        self._spool.write(data)

    def finish(self) -> None:
        """Say that nothing will be added."""

    def copy_to(self, out: IO[bytes]) -> None:
        """Write all of it into *out*."""
        self._spool.seek(0)
        shutil.copyfileobj(self._spool, out)

    def close(self) -> None:
        """Give its memory, or its temporary file, back."""
        self._spool.close()


class DeflatedFragment(Fragment):
    """Bytes that wait in compressed form."""

    def __init__(self) -> None:
        super().__init__()
        # Negative: no header and no checksum of its own.
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self.checksum = zlib.adler32(b"")
        # Both are of what goes in, not of what comes out.
        self.length = 0

    def write(self, data: bytes) -> None:
        """Add *data*."""
        self.checksum = zlib.adler32(data, self.checksum)
        self.length += len(data)
        self._spool.write(self._deflate.compress(data))

    def finish(self) -> None:
        """Say that nothing will be added."""
        # Ends on a byte, without the mark of a last block.
        self._spool.write(self._deflate.flush(zlib.Z_SYNC_FLUSH))


def write_zlib(out: IO[bytes], fragments: Iterable[DeflatedFragment]) -> None:
    """Put finished fragments together as one zlib stream."""
    out.write(_HEADER)
    checksum = zlib.adler32(b"")
    for fragment in fragments:
        fragment.copy_to(out)
        checksum = combine_adler32(checksum, fragment.checksum, fragment.length)
    out.write(_LAST_BLOCK)
    out.write(checksum.to_bytes(4, "big"))


def combine_adler32(first: int, second: int, length: int) -> int:
    """
    Work out the Adler-32 of two texts, one after the other, from their own.

    Args:
        first: Checksum of the first text.

        second: Checksum of the second text.

        length: Bytes of the second text.
    """
    sum_1, sums_1 = first & 0xFFFF, first >> 16
    sum_2, sums_2 = second & 0xFFFF, second >> 16
    # The low half is 1 plus the sum of all bytes; the high half adds up the low
    # halves after each byte, and the first text's bytes are in all of those.
    low = (sum_1 + sum_2 - 1) % _BASE
    high = (sums_1 + sums_2 + length % _BASE * (sum_1 - 1)) % _BASE
    return high << 16 | low
