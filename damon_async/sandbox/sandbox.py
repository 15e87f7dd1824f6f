"""Runs a command in a sandbox: namespaces, stage, server, command, and an end."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

import anyio

from ..control.mount import mounted
from ..errors import InvalidError
from ..processes.memory import iomem
from . import stage as places
from .namespaces import run_inside
from .service import ServiceOptions, module_names, serving
from .stage import Stage
from .stand_ins import StandIns
from .supervisor import supervise
from .tracing import TraceServer


def run_sandbox(command: Sequence[str], options: ServiceOptions) -> int:
    """
    Run *command* where the files of DAMON are those of an engine of ours.

    The command keeps its working directory, its files and its terminal. Nothing of it
    all is left when it ends: its children end with it.

    Args:
        command: Program and arguments.

        options: What there is to be monitored.

    Returns:
        The exit code of the command, as a shell would show it.

    Raises:
        InvalidError: If there is no command.

        SandboxError: If the machine allows no sandbox.
    """
    if not command:
        msg = "there is no command; put one behind two dashes: damon-async sandbox -- damo start"
        raise InvalidError(msg)
    return run_inside(partial(_inside, tuple(command), options))


def _inside(command: Sequence[str], options: ServiceOptions) -> int:
    """Be the first process: build the stage, then run the command."""
    stage = Stage(options.profile, options.has_dbgfs, module_names(options.profile))
    stage.build()
    environment = stage.environment(os.environ)
    return supervise(partial(_serve, options, stage), command, environment)


def _serve(options: ServiceOptions, stage: Stage, ready: Callable[[], None]) -> int:
    """Be the server until somebody ends it."""
    anyio.run(_serve_async, options, stage, ready)
    return 0


async def _serve_async(options: ServiceOptions, stage: Stage, ready: Callable[[], None]) -> None:
    """Serve trees and trace events for as long as the sandbox lives."""
    stand_ins = StandIns(places.STAND_INS)
    tracing = TraceServer(stand_ins)
    async with serving(options, places.REGISTRY, stand_ins) as service, AsyncExitStack() as stack:
        stack.enter_context(service.damon.observers.added(stand_ins))
        await stack.enter_async_context(tracing.listening(service.damon, places.SOCKET))
        await stack.enter_async_context(mounted(service.sysfs, places.ADMIN))
        await stack.enter_async_context(mounted(service.modules, places.MODULE_TREE))
        stage.bind_modules()
        if service.dbgfs is not None:
            await stack.enter_async_context(mounted(service.dbgfs, places.DBGFS))
        places.show_memory(iomem(service.machine.ram))
        stage.show_mounts()
        ready()
        await anyio.sleep_forever()
