"""`damon-async module`, `reclaim` and `lru_sort`: the static modules, as damo drives them."""

from __future__ import annotations

from dataclasses import dataclass
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


@Parameter(name="*", group=WHAT)
@dataclass(frozen=True, kw_only=True)
class PlaceOptions:
    """What to act on: parameters somewhere, or workloads in virtual time."""

    root: Annotated[str, Parameter(metavar="FOLDER")] = ROOT
    """Where modules are: a mounted tree of ours or a copy. The real one of this machine is never
    written to."""

    workload: Annotated[tuple[str, ...], Parameter(metavar="SPEC", show_default=False)] = ()
    """For run: what lives on the machine; see `damon-async workloads`."""

    duration: Seconds | None = None
    """For run: how long, in seconds or as a text such as "5 m". Default: as long as the workload
    lives."""

    seed: Count = 0
    """For run: where all randomness comes from."""


USUAL_PLACE: Final = PlaceOptions()


def reclaim(
    verb: Verb = "status",
    /,
    *,
    place: PlaceOptions = USUAL_PLACE,
    options: ModuleOptions = NO_MODULE_OPTIONS,
    machine: MachineOptions = USUAL_MACHINE,
    output: RunOutput = NO_OUTPUT,
) -> int:
    """
    Control DAMON_RECLAIM, which pages out what is idle, or try it on a workload.

    Args:
        verb: status, enable, disable or commit act on the parameters below --root;
            run plays the module over workloads in virtual time, and needs no root.

        place: What to act on.

        options: What the module is told.

        machine: For run: what the workloads run on.

        output: For run: where results go, besides stdout.
    """
    return _do(RECLAIM, verb, place, options, machine, output)


def lru_sort(
    verb: Verb = "status",
    /,
    *,
    place: PlaceOptions = USUAL_PLACE,
    options: ModuleOptions = NO_MODULE_OPTIONS,
    machine: MachineOptions = USUAL_MACHINE,
    output: RunOutput = NO_OUTPUT,
) -> int:
    """
    Control DAMON_LRU_SORT, which tells hot memory from cold, or try it on a workload.

    Args:
        verb: As of `damon-async reclaim`.

        place: What to act on.

        options: What the module is told.

        machine: For run: what the workloads run on.

        output: For run: where results go, besides stdout.
    """
    return _do(LRU_SORT, verb, place, options, machine, output)


def stat(
    verb: Literal["status", "enable", "disable", "run"] = "status",
    /,
    *,
    place: PlaceOptions = USUAL_PLACE,
    machine: MachineOptions = USUAL_MACHINE,
) -> int:
    """
    Control DAMON_STAT, or print how idle the memory of a workload is.

    Args:
        verb: status, enable and disable act on the parameters below --root; run, or
            naming a workload, prints how idle that is, in virtual time.

        place: What to act on.

        machine: For run: what the workloads run on.
    """
    is_named = bool(place.workload)
    return _do(STAT, "run" if is_named else verb, place, NO_MODULE_OPTIONS, machine, NO_OUTPUT)


def _do(
    module: str,
    verb: str,
    place: PlaceOptions,
    options: ModuleOptions,
    machine: MachineOptions,
    output: RunOutput,
) -> int:
    """Play a module over workloads, or act on its parameters."""
    if verb != "run":
        return _control(module, verb, place.root, options)
    values = options.values()
    run = ModuleRun(module, place.workload, place.duration, place.seed, machine, values)
    run.play(output)
    return 0


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
