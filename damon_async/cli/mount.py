"""`damon-async mount`: the control tree as a file system, until Ctrl-C."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import anyio
from cyclopts import Parameter
from rich.console import Console

from ..control.mount import mounted
from ..processes.registry import runtime_dir
from ..sandbox.service import ServiceOptions, serving
from .service_options import (
    NO_CLOCK,
    NO_TREES,
    NO_WORKLOADS,
    TREES,
    ClockOptions,
    TreeOptions,
    WorkloadOptions,
    service_options,
)


def mount(
    directory: Annotated[Path, Parameter(metavar="DIR")],
    /,
    *,
    modules: Annotated[bool, Parameter(group=TREES)] = False,
    trees: TreeOptions = NO_TREES,
    workloads: WorkloadOptions = NO_WORKLOADS,
    clock: ClockOptions = NO_CLOCK,
) -> int:
    """
    Have DAMON's control tree at a directory, until Ctrl-C or SIGTERM.

    It is the tree of /sys/kernel/mm/damon/admin; with --dbgfs that of /sys/kernel/debug/damon
    instead, with --modules that of /sys/module. Over the kernel's own directories it mounts in a private mount namespace only; for
    tools that look there, `damon-async sandbox` is the easier way.

    Args:
        directory: An existing directory.

        modules: Serve the parameters of the modules instead.

        trees: Which files there are.

        workloads: What processes and memory do.

        clock: How time passes.
    """
    anyio.run(_serve, directory, service_options(trees, workloads, clock), modules)
    return 0


async def _serve(directory: Path, options: ServiceOptions, modules: bool) -> None:
    """Serve until a signal comes."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with (
            serving(options, runtime_dir()) as service,
            mounted(
                service.modules if modules else service.dbgfs or service.sysfs, directory
            ) as point,
        ):
            console.print(f"mounted on {point}; Ctrl-C ends it")
            async for _ in signals:
                return
