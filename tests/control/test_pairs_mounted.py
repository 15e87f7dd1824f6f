"""Programs that know nothing of us keep each other out, too: three mounted trees, one engine."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from anyio import to_thread

from damon_async.control.mount import mounted

from .pairs import SHOWN
from .users import (
    DEBUGFS,
    RECLAIM,
    SYSFS,
    DebugfsUser,
    ModuleUser,
    Stage,
    SysfsUser,
    open_stage,
    users_of,
)

pytestmark = pytest.mark.usefixtures("mount_allowed")

K: Final = "sysfs/kdamonds/0"
STATE: Final = f"{K}/state"
SWITCH: Final = "debugfs/monitor_on_DEPRECATED"
MODULE: Final = "module"
RECLAIM_ON: Final = f"{MODULE}/damon_reclaim/parameters/enabled"
LRU_SORT_ON: Final = f"{MODULE}/damon_lru_sort/parameters/enabled"

# Each word, where it is written, and how that ends.
STORY: Final = (
    (f"{K}/contexts/nr_contexts", "1", ""),
    (f"{K}/contexts/0/targets/nr_targets", "1", ""),
    (f"{K}/contexts/0/targets/0/pid_target", "1", ""),
    ("debugfs/target_ids", "2", ""),
    # 102: sysfs runs.
    (STATE, "on", ""),
    (SWITCH, "on", "EBUSY"),
    (RECLAIM_ON, "Y", "EBUSY"),
    (STATE, "off", ""),
    # 103: debugfs runs.
    (SWITCH, "on", ""),
    (STATE, "on", "EBUSY"),
    (f"{K}/contexts/0/monitoring_attrs/intervals/sample_us", "1000", ""),
    (RECLAIM_ON, "Y", "EBUSY"),
    (SWITCH, "off", ""),
    # 104: a module runs.
    (RECLAIM_ON, "Y", ""),
    (RECLAIM_ON, "Y", ""),
    (STATE, "on", "EBUSY"),
    (LRU_SORT_ON, "Y", "EBUSY"),
    ("debugfs/target_ids", "2", ""),
    (SWITCH, "on", "EBUSY"),
    (RECLAIM_ON, "N", ""),
    (STATE, "on", ""),
)


def told(root: Path, story: Sequence[tuple[str, str, str]]) -> list[str]:
    """Write words to files, and return the names of the errnos."""
    ends = []
    for path, word, _ in story:
        file = os.open(root / path, os.O_WRONLY)
        try:
            os.write(file, word.encode())
            ends.append("")
        except OSError as error:
            ends.append(errno.errorcode[error.errno or 0])
        finally:
            os.close(file)
    return ends


async def mount_all(stage: Stage, root: Path, stack: AsyncExitStack) -> None:
    """Mount a tree of each kind below *root*."""
    users = users_of(stage, SHOWN)
    sysfs, debugfs, module = users[SYSFS], users[DEBUGFS], users[RECLAIM]
    assert isinstance(sysfs, SysfsUser)
    assert isinstance(debugfs, DebugfsUser)
    assert isinstance(module, ModuleUser)
    trees = {"sysfs": sysfs.tree, "debugfs": debugfs.tree, MODULE: module.tree}
    for name, tree in trees.items():
        (root / name).mkdir()
        await stack.enter_async_context(mounted(tree, root / name))


async def test_mounted_users(tmp_path: Path) -> None:
    """Through mounted files, too, exclusive users run alone, and configuring is free (102 to 104)."""
    async with open_stage() as stage, AsyncExitStack() as stack:
        await mount_all(stage, tmp_path, stack)
        ends = await to_thread.run_sync(told, tmp_path, STORY)
        assert stage.damon.nr_running == 1
        assert not stage.damon.running_exclusive
    assert list(zip((path for path, *_ in STORY), ends, strict=True)) == [
        (path, end) for path, _, end in STORY
    ]
