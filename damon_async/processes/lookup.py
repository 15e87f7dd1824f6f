"""The synthetic memory of any process of this machine, by its pid."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from ..errors import DamonError
from ..spaces.frames import Process
from ..spaces.machine import Machine
from ..spaces.machine_views import ProcessMemory
from ..spaces.space import Space
from .command_line import commands_of
from .proc import Proc, ProcessId, Status
from .process_space import ActingProcessSpace, ProcessSpace
from .registry import Entry, Registry
from .repeated import repeated
from .rules import Rules
from .surrounded import surrounded
from .twin import Twin

MAX_ACTING: Final = 64 * 1024**3
"""Mapped bytes up to which schemes can act on the memory of a process: it takes three
bytes for each page."""

_PRUNED_AT: Final = 64
"""From so many known processes on, those that have ended are forgotten."""


@dataclass(frozen=True, slots=True)
class _Known:
    # A process that was asked about, by what its memory was found, and the memory.
    id: ProcessId
    twin: Twin
    began_us: int | None
    space: Space


class Processes:
    """
    Finds the memory of processes; call it with a pid.

    What a process has registered itself comes first, then rules by its command
    line, then the default. The same process has the same memory each time, also
    after it has changed its name; one that has become another program is looked up
    anew, and so is a later process with the same pid.

    The memory is gone when the process is. What masim and the selftests' programs
    do, and what a process has registered, comes once, and then nothing is touched any
    more. Any other workload that ends begins anew for as long as the process lives.
    Each process has memory of its own: actions of schemes take pages out of it, but do
    not make others' memory free.

    Args:
        now_us: The time of whoever monitors. That it passes as fast as the
            processes' own is only so with a real clock.

        rules: Which command line stands for which memory.

        registry: Where processes register; None if they do not.

        default: The workload of all other processes; None: they do not exist.

        seed: For what is random in workloads of rules and in the default.

        ends_with_workload: Whether a process also counts as ended when what comes
            once is over. For virtual time, in which real processes hardly ever end.

        proc: Where the kernel tells of processes.
    """

    __slots__ = (
        "_default",
        "_ends_with_workload",
        "_known",
        "_log",
        "_now_us",
        "_proc",
        "_registry",
        "_rules",
        "_seed",
    )

    def __init__(
        self,
        now_us: Callable[[], int],
        rules: Rules | None = None,
        registry: Path | None = None,
        default: str | None = None,
        *,
        seed: int = 0,
        ends_with_workload: bool = False,
        proc: Proc | None = None,
    ) -> None:
        self._now_us = now_us
        self._seed = seed
        self._ends_with_workload = ends_with_workload
        self._rules = rules or Rules()
        self._proc = proc or Proc()
        self._registry = None if registry is None else Registry(registry, self._proc)
        self._default = None if default is None else Twin(default)
        self._known: dict[int, _Known] = {}
        self._log = structlog.get_logger()

    def __repr__(self) -> str:
        return f"<Processes {len(self._known)} known, {self._rules!r}>"

    def __call__(self, pid: int) -> Space | None:
        """
        Return the memory of a process.

        Args:
            pid: Any number.

        Returns:
            None if there is no such process, if it has ended or is the kernel's own,
            or if nothing stands for its memory. What cannot be read is logged as a
            warning, and the default stands in for it.
        """
        status = self._proc.status(pid) if pid > 0 else None
        if status is None or status.is_kernel_thread:
            # Its memory may be large, and nobody can ask for it any more.
            self._known.pop(pid, None)
            return None
        entry = self._entry(status)
        for twin in (entry.twin if entry else self._by_rules(status), self._default):
            space = self._space(status.id, twin, entry) if twin is not None else None
            # A configuration that cannot be read must not make a live process vanish.
            if space is not None:
                return space
        return None

    def _space(self, id_: ProcessId, twin: Twin, entry: Entry | None) -> Space | None:
        """Return the memory of a process: the one it had before, if it is still the same."""
        began_us = entry.started_us if entry is not None else None
        known = self._known.get(id_.pid)
        # Not by the command line itself: programs change their titles as they go.
        if known is not None and (known.id, known.twin, known.began_us) == (id_, twin, began_us):
            return known.space
        try:
            space = self._made(id_, twin, began_us)
        except (DamonError, OSError, ValueError, MemoryError) as error:
            self._warn(id_.pid, twin.spec, error)
            return None
        if len(self._known) >= _PRUNED_AT:
            living = self._proc.is_alive
            self._known = {pid: each for pid, each in self._known.items() if living(each.id)}
        self._known[id_.pid] = _Known(id_, twin, began_us, space)
        self._say("debug", "process found", pid=id_.pid, workload=twin.spec)
        return space

    def _made(self, id_: ProcessId, twin: Twin, began_us: int | None) -> Space:
        space = twin.open(self._seed)
        # Inside out: a trace that begins anew needs the mappings of a process as well.
        space = surrounded(repeated(space) if twin.is_repeated else space)
        if began_us is None:
            began_us = self._proc.start_us(id_)
        # Ages mean the same to both clocks, and instants do not.
        started_us = self._now_us() - (self._proc.uptime_us() - began_us)
        is_alive = partial(self._proc.is_alive, id_)
        ends = self._ends_with_workload
        mapped = sum(mapping.end - mapping.start for mapping in space.mappings(0))
        if not 0 < mapped <= MAX_ACTING:
            return ProcessSpace(space, started_us, is_alive, self._now_us, ends_with_space=ends)
        # A machine for each: processes come and go, and one for all could not change.
        memory = ProcessMemory(Machine([Process(id_.pid, space)], keeps_history=False), id_.pid)
        return ActingProcessSpace(memory, started_us, is_alive, self._now_us, ends_with_space=ends)

    def _entry(self, status: Status) -> Entry | None:
        if self._registry is None:
            return None
        try:
            return self._registry.find(status.id)
        except DamonError as error:
            self._warn(status.id.pid, status.name, error)
            return None

    def _by_rules(self, status: Status) -> Twin | None:
        pid = status.id.pid
        # Programs without any argument, not even a name, have the one of their file.
        words = self._proc.words(pid) or (status.name,)
        try:
            return self._rules.twin(list(commands_of(words, self._proc.folder(pid))))
        except (DamonError, OSError, ValueError) as error:
            self._warn(pid, status.name, error)
            return None

    def _warn(self, pid: int, workload: str, error: Exception) -> None:
        event = "cannot tell what a process stands for"
        self._say("warning", event, pid=pid, workload=workload, error=str(error))

    def _say(self, level: str, event: str, **values: object) -> None:
        # Applications have processors of their own, which may fail; nobody who only
        # asks about a pid should have to catch that.
        with suppress(Exception):
            getattr(self._log, level)(event, **values)
