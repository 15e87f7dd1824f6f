"""`damon-async module`, `reclaim` and `lru_sort`: the static modules, as damo drives them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from cyclopts import Group, Parameter

from ..control.folder import Folder
from ..control.module_behavior import LRU_SORT, RECLAIM, STAT
from ..errors import InvalidError
from .machine_options import USUAL_MACHINE, MachineOptions
from .module_options import NO_MODULE_OPTIONS, ModuleOptions
from .module_run import ModuleRun, RunOutput
from .quantities import Count, Seconds
from .report_common import emit

WHAT: Final = Group("What to act on", sort_key=1)

ROOT: Final = "/sys/module"

Verb = Literal["status", "enable", "disable", "commit", "run"]

NO_OUTPUT: Final = RunOutput()

Root = Annotated[str, Parameter(group=WHAT, metavar="FOLDER")]

Workloads = Annotated[tuple[str, ...], Parameter(group=WHAT, metavar="SPEC", show_default=False)]


def reclaim(
    verb: Verb = "status",
    /,
    *,
    root: Root = ROOT,
    workload: Workloads = (),
    duration: Annotated[Seconds | None, Parameter(group=WHAT)] = None,
    seed: Annotated[Count, Parameter(group=WHAT)] = 0,
    options: ModuleOptions = NO_MODULE_OPTIONS,
    machine: MachineOptions = USUAL_MACHINE,
    output: RunOutput = NO_OUTPUT,
) -> int:
    """
    Control DAMON_RECLAIM, which pages out what is idle, or try it on a workload.

    Args:
        verb: status, enable, disable or commit act on the parameters below --root;
            run plays the module over workloads in virtual time, and needs no root.

        root: Where modules are: a mounted tree of ours or a copy. The real one of
            this machine is never written to.

        workload: For run: what lives on the machine; see `damon-async workloads`.

        duration: For run: how long, in seconds or as a text such as "5 m". Default:
            as long as the workload lives.

        seed: For run: where all randomness comes from.

        options: What the module is told.

        machine: For run: what the workloads run on.

        output: For run: where results go, besides stdout.
    """
    if verb == "run":
        ModuleRun(RECLAIM, workload, duration, seed, machine, options.values()).play(output)
        return 0
    return _control(RECLAIM, verb, root, options)


def lru_sort(
    verb: Verb = "status",
    /,
    *,
    root: Root = ROOT,
    workload: Workloads = (),
    duration: Annotated[Seconds | None, Parameter(group=WHAT)] = None,
    seed: Annotated[Count, Parameter(group=WHAT)] = 0,
    options: ModuleOptions = NO_MODULE_OPTIONS,
    machine: MachineOptions = USUAL_MACHINE,
    output: RunOutput = NO_OUTPUT,
) -> int:
    """
    Control DAMON_LRU_SORT, which tells hot memory from cold, or try it on a workload.

    Args:
        verb: status, enable, disable or commit act on the parameters below --root;
            run plays the module over workloads in virtual time, and needs no root.

        root: Where modules are: a mounted tree of ours or a copy. The real one of
            this machine is never written to.

        workload: For run: what lives on the machine; see `damon-async workloads`.

        duration: For run: how long, in seconds or as a text such as "5 m". Default:
            as long as the workload lives.

        seed: For run: where all randomness comes from.

        options: What the module is told.

        machine: For run: what the workloads run on.

        output: For run: where results go, besides stdout.
    """
    if verb == "run":
        ModuleRun(LRU_SORT, workload, duration, seed, machine, options.values()).play(output)
        return 0
    return _control(LRU_SORT, verb, root, options)


def stat(
    verb: Literal["status", "enable", "disable", "run"] = "status",
    /,
    *,
    root: Root = ROOT,
    workload: Workloads = (),
    duration: Annotated[Seconds | None, Parameter(group=WHAT)] = None,
    seed: Annotated[Count, Parameter(group=WHAT)] = 0,
    machine: MachineOptions = USUAL_MACHINE,
) -> int:
    """
    Control DAMON_STAT, or print how idle the memory of a workload is.

    Args:
        verb: status, enable and disable act on the parameters below --root; run
            plays the module over workloads in virtual time, and needs no root.

        root: Where modules are: a mounted tree of ours or a copy. The real one of
            this machine is never written to.

        workload: What to print it of; naming one is as good as the verb run.

        duration: For run: how long, in seconds or as a text such as "5 m". Default:
            as long as the workload lives.

        seed: For run: where all randomness comes from.

        machine: For run: what the workloads run on.
    """
    if verb == "run" or workload:
        ModuleRun(STAT, workload, duration, seed, machine, {}).play(NO_OUTPUT)
        return 0
    return _control(STAT, verb, root, NO_MODULE_OPTIONS)


def _control(module: str, verb: str, root: str, options: ModuleOptions) -> int:
    """Do what a verb of damo says to the parameters of a module."""
    folder = Folder(f"{root}/{module}/parameters")
    values = options.values()
    if values and verb not in {"enable", "commit"}:
        raise InvalidError(f"{verb} takes no parameters; leave out {', '.join(values)}")
    if verb == "status":
        emit(f"{name}: {_text(folder, name)}" for name in sorted(_names(folder)))
        return 0
    unknown = values.keys() - _names(folder)
    if unknown:
        raise InvalidError(f"{module} has no parameter {', '.join(sorted(unknown))} here")
    for name, value in values.items():
        folder.write(name, value.encode())
    last = "commit_inputs" if verb == "commit" else "enabled"
    folder.write(last, b"N" if verb == "disable" else b"Y")
    return 0


def _names(folder: Folder) -> set[str]:
    return {name for name, is_dir in folder.entries() if not is_dir}


def _text(folder: Folder, name: str) -> str:
    return folder.read(name).decode("utf-8", "replace").strip()
