"""`damon-async sandbox`: run any command where DAMON's files are ours."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from ..sandbox.sandbox import run_sandbox
from .service_options import (
    NO_CLOCK,
    NO_TREES,
    NO_WORKLOADS,
    ClockOptions,
    TreeOptions,
    WorkloadOptions,
    service_options,
)


def sandbox(
    *command: Annotated[str, Parameter(show=False)],
    trees: TreeOptions = NO_TREES,
    workloads: WorkloadOptions = NO_WORKLOADS,
    clock: ClockOptions = NO_CLOCK,
) -> int:
    """
    Run a command where the files of DAMON are those of a synthetic machine.

    Everything behind two dashes is the command, as in `damon-async sandbox -- damo start`. It sees
    /sys/kernel/mm/damon, a tracing directory, a perf that records our events, and processes named
    kdamond.N; it keeps its working directory, its files and its terminal. Nothing of it is left
    when it ends, and this machine's own DAMON is never touched. Needs root, or a kernel that allows
    user namespaces, and /dev/fuse.

    The exit code is that of the command.

    Args:
        command: Program and arguments.

        trees: Which files there are.

        workloads: What processes and memory do.

        clock: How time passes.
    """
    return run_sandbox(command, service_options(trees, workloads, clock))
