"""
Make the trace of a real program that comes with the package.

    python benchmarks/make_demo_trace.py

Needs valgrind and sqlite3; takes some minutes. The ``sqlite3`` shell fills,
searches, thins out and packs a table of documents in memory, while valgrind's
lackey tool prints every access to a pipe. Of each grain of instructions only
the distinct pages are kept, so that the trace is exact to the grain, and small.
"""

from __future__ import annotations

import argparse
import lzma
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from damon_async.spaces.touch_log import by_page
from damon_async.spaces.trace_formats import Touches, read_lackey
from damon_async.spaces.trace_text import stream_blocks
from damon_async.spaces.traces import demo_trace_path

PAGE_SIZE = 4096
PAGE_BITS = 40
"""Bits of a page number, in pairs packed into one integer."""

GRAIN = 18_000
"""Instructions; about 2.5 ms when the trace is stretched to its default 20 s."""

PHASES = """
PRAGMA page_size=65536;
PRAGMA cache_size=-100000;
CREATE TABLE blank(body BLOB);
INSERT INTO blank VALUES(CAST(printf('%60000s','') AS BLOB));
CREATE TABLE document(id INTEGER PRIMARY KEY, code INTEGER, body BLOB);
-- The heap grows: 300 documents of 60,000 bytes each.
INSERT INTO document
  SELECT value, (value*7919)%300, body FROM blank, generate_series(0,299);
CREATE INDEX by_code ON document(code);
-- Six documents are hot.
SELECT count(substr(body,9)) FROM generate_series(1,2500)
  JOIN document ON id=60+(value*5)%6;
-- One scan of everything.
SELECT count(substr(body,9)) FROM document;
-- Six hot documents that move through the table.
SELECT count(substr(body,9)) FROM generate_series(1,3500)
  JOIN document ON id=value*294/3500+(value*5)%6;
-- Two fifths go, the others are copied together.
DELETE FROM document WHERE id<120;
VACUUM;
-- Six hot documents again, at their new place.
SELECT count(substr(body,9)) FROM generate_series(1,1500)
  JOIN document ON id=270+(value*5)%6;
"""

# Lackey counts each byte of a repeated string instruction as an instruction; the
# C library is told to copy with plain loops instead, as it does for short copies.
PLAIN_COPIES = "glibc.cpu.x86_rep_movsb_threshold=1000000:glibc.cpu.x86_rep_stosb_threshold=1000000"


def main() -> None:
    """Run the program and write its trace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=demo_trace_path())
    parser.add_argument("--grain", type=int, default=GRAIN, help="instructions per grain")
    options = parser.parse_args()
    beside = options.output.with_suffix(".tmp")
    # The preset says how hard to try; the result is read with little memory.
    with lzma.open(beside, "wb", preset=9 | lzma.PRESET_EXTREME) as out:
        for lines in trace_lines(distinct(lackey(), options.grain), options.grain):
            out.write(lines)
    beside.replace(options.output)
    sys.stderr.write(f"{options.output}: {options.output.stat().st_size} bytes\n")


def lackey() -> Iterator[Touches]:
    """Run the program under lackey and yield every access it makes."""
    read_end, write_end = os.pipe()
    tool = ["valgrind", "--tool=lackey", "--trace-mem=yes", f"--log-fd={write_end}"]
    with subprocess.Popen(  # noqa: S603 - our own fixed command
        [*tool, "sqlite3", ":memory:"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=[write_end],
        env={"PATH": os.environ["PATH"], "GLIBC_TUNABLES": PLAIN_COPIES},
    ) as program:
        os.close(write_end)
        if program.stdin is None:
            raise RuntimeError("no pipe to the program")
        program.stdin.write(PHASES.encode())
        program.stdin.close()
        with os.fdopen(read_end, "rb") as pipe:
            yield from read_lackey(stream_blocks(pipe, Path("lackey")))
    if program.returncode:
        raise RuntimeError(f"the program ended with {program.returncode}")


def distinct(chunks: Iterable[Touches], grain: int) -> Iterator[np.ndarray]:
    """Yield (grain, page) pairs, packed into ascending numbers, each once."""
    rest = np.empty(0, dtype=np.int64)
    for chunk in chunks:
        for clock, page in by_page(chunk, PAGE_SIZE):
            pairs = np.unique(np.append(rest, (clock // grain << PAGE_BITS) | page))
            # The last grain may go on in the next chunk.
            done = np.searchsorted(pairs, pairs[-1] >> PAGE_BITS << PAGE_BITS)
            yield pairs[:done]
            rest = pairs[done:]
    yield rest


def trace_lines(pairs: Iterable[np.ndarray], grain: int) -> Iterator[bytes]:
    """Write (grain, page) pairs as lines of an address trace."""
    before = 0
    for some in pairs:
        number, page = some >> PAGE_BITS, some & ((1 << PAGE_BITS) - 1)
        gap = np.diff(number, prepend=before) * grain
        rows = zip((page * PAGE_SIZE).tolist(), gap.tolist(), strict=True)
        yield "".join(f"l 0x{address:x} {ticks}\n" for address, ticks in rows).encode()
        before = int(number[-1]) if len(number) else before


if __name__ == "__main__":
    main()
