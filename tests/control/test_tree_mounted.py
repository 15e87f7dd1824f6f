"""Mounted trees are staged, dumped and compared as trees in process are."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import pytest
from anyio import to_thread

from damon_async.control.admin import ADMIN
from damon_async.control.dump import kdamonds_of
from damon_async.control.folder import Folder
from damon_async.control.load import stage
from damon_async.control.mount import mounted
from damon_async.control.parameter_files import values_of
from damon_async.control.profiles import Profile
from damon_async.control.script import to_script
from damon_async.control.stored_tree import take
from damon_async.control.tree import Tree
from damon_async.params.monitoring import Kdamond

from .consoles import K, open_console
from .staged import PROMOTE, RECLAIM, staged, taken

pytestmark = pytest.mark.usefixtures("mount_allowed")

WANTED: Final = (RECLAIM, PROMOTE)


async def test_mounted_round_trip(tmp_path: Path) -> None:
    """What is loaded into a mounted tree is dumped out of it, and is in the tree itself."""
    tree = Tree(ADMIN, Profile.LATEST)
    async with mounted(tree, tmp_path) as point:
        await to_thread.run_sync(stage, Folder(point), values_of(WANTED), ADMIN)
        values, missed = await to_thread.run_sync(take, Folder(point))
    assert missed == {}
    assert values_of(kdamonds_of(values)) == values_of(WANTED)
    assert values == taken(tree)


@pytest.mark.parametrize(("profile", "nr_schemes"), [(Profile.V6_12, 1), (Profile.LATEST, 3)])
async def test_scripts_stage_mounted_trees(
    tmp_path: Path, profile: Profile, nr_schemes: int
) -> None:
    """A dumped script, run by a shell, makes a mounted tree what the dumped one was."""
    # Destinations and nodes of goals are newer than 6.12.
    context = PROMOTE.contexts[0]
    context = context.model_copy(update={"schemes": context.schemes[:nr_schemes]})
    wanted = Kdamond([context])
    original = staged([wanted], profile)
    copy = Tree(ADMIN, profile)
    script = to_script(taken(original), ADMIN)
    async with mounted(copy, tmp_path) as point:
        command = ["sh", "-s", str(point)]
        done = await to_thread.run_sync(
            lambda: subprocess.run(
                command, input=script, capture_output=True, text=True, check=False
            )
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert values_of(kdamonds_of(taken(copy))) == values_of([wanted])


async def test_scripts_start_mounted_trees(tmp_path: Path) -> None:
    """A script that ends by starting leaves a kdamond that runs."""
    async with open_console(Profile.LATEST) as console, mounted(console.tree, tmp_path) as point:
        console.fresh_vaddr(1)
        script = to_script(taken(console.tree), ADMIN, turns_on=True)
        await to_thread.run_sync(
            lambda: subprocess.run(["sh", "-s", point], input=script, text=True, check=True)
        )
        values, _ = await to_thread.run_sync(take, Folder(point))
        assert values[f"{K}/state"] == "on"
        assert console.is_on()
