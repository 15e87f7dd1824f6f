from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from damon_async.control.mount import mounted
from damon_async.control.profiles import Profile

from .debug_consoles import open_debug
from .stored import errno_of

pytestmark = pytest.mark.usefixtures("mount_allowed")

SCRIPT: Final = """
cat attrs
echo 1 2 3 4 5 > attrs
echo 2 3 4 5 6 >> attrs
cat attrs
echo 1 2 > target_ids
echo foo > mk_contexts
ls -d foo
echo foo > mk_contexts || echo failed
echo paddr > foo/target_ids
echo on > monitor_on
cat monitor_on kdamond_pid foo/kdamond_pid foo/target_ids
echo foo > rm_contexts || echo failed
echo 1 > attrs || echo failed
printf '1 2 3 4 5' > attrs || echo failed
echo off > monitor_on
echo off > monitor_on || echo failed
cat monitor_on target_ids foo/target_ids
cat rm_contexts || echo failed
mkdir bar || echo failed
echo foo > rm_contexts
ls -d foo || echo failed
"""

RESULT: Final = """
5000 100000 60000000 10 1000
2 3 4 5 6
foo
failed
on
4194305
4194306
42
failed
failed
failed
failed
off

42
failed
failed
failed
"""


def _write_twice(path: Path) -> Iterator[int]:
    """Write to an open file twice, and go through what came of it."""
    file = os.open(path, os.O_RDWR)
    try:
        for text in (b"3 4 5 6 7\n", b"4 5 6 7 8\n"):
            yield errno_of(partial(os.write, file, text))
        assert os.pread(file, 4, 2) == b"4 5 "
        # At the beginning it is a first write again.
        yield errno_of(partial(os.pwrite, file, b"5 6 7 8 9\n", 0))
    finally:
        os.close(file)


async def test_shell(tmp_path: Path) -> None:
    """A shell does to the mounted tree what it does to a real debugfs (116 to 119)."""
    async with open_debug(Profile.V6_1) as console, mounted(console.tree, tmp_path) as point:
        # Not by cwd: Python goes there before it lets go of its lock, which we need.
        shell = await asyncio.create_subprocess_exec(
            *("sh", "-c", f'cd "$0"\n{SCRIPT}', point),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        out, _ = await shell.communicate()
    assert out.decode() == RESULT.removeprefix("\n")


async def test_one_write_per_open(tmp_path: Path) -> None:
    """Mounted, too, a second write on one descriptor is EINVAL (statement 114)."""
    async with open_debug() as console, mounted(console.tree, tmp_path) as point:
        results = await asyncio.to_thread(lambda: list(_write_twice(point / "attrs")))
        assert results == [0, errno.EINVAL, 0]
        assert console.text("attrs") == "5 6 7 8 9\n"
