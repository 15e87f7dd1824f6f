"""
What stands behind the debugfs interface.

Source:
    spec interfaces 4.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Final

import anyio
import structlog

from ..engine.engine import Damon, started_before
from ..engine.holding import TimeHold
from ..engine.kdamond import Kdamond
from ..errors import DamonError
from ..params.monitoring import Ops
from .behavior import Behavior
from .dbgfs_context import PHYSICAL_ID, DebugContext, DebugTarget
from .dbgfs_text import (
    Attrs,
    SchemesFormat,
    read_name,
    read_regions,
    read_schemes,
    read_target_ids,
    show_regions,
    show_target_ids,
)
from .node import Branch, File
from .pids import PidOf, Pids
from .profiles import Profile, Release
from .values import Value, refusal
from .world import World

DEPRECATED_SINCE: Final = Release(6, 9)
"""From here on the interface is off unless asked for, and says so."""

NOTICE: Final = b"the debugfs interface of DAMON is deprecated: use sysfs, it has all of this\n"
"""What the file ``DEPRECATED`` says."""


class Dbgfs(Behavior):
    """
    What stands behind a debugfs tree with an engine.

    Args:
        damon: Runs what is started through the tree, all at once and exclusively;
            must be open by then.

        profile: Whose rules are followed.

        world: Whom the files can be about.

        schemes_format: What a record of ``schemes`` is made of.

        holds_time: Whether virtual time stands still while anything runs that was
            started here. There are no commands that it would pass for.

        pids: Names kdamonds; by default numbers of its own.

    Source:
        spec interfaces 4.
        Differs: words are compared to their end; in the kernel ``o`` is ``on``.
    """

    def __init__(
        self,
        damon: Damon,
        profile: Profile,
        world: World | None = None,
        *,
        schemes_format: SchemesFormat = SchemesFormat.E,
        holds_time: bool = False,
        pids: PidOf | None = None,
    ) -> None:
        super().__init__()
        self._damon = damon
        self._release = profile.release
        self._world = world or World()
        self._format = schemes_format
        self._pids = pids or Pids()
        # By the name of their directory, in the order in which they are started.
        self._contexts = {"": DebugContext()}
        # Unlike the lock of a sysfs tree it is waited for.
        self._changing = anyio.Lock()
        self._hold = (
            TimeHold(damon.clock, "the debugfs tree", is_meant=True) if holds_time else None
        )
        self._has_warned = False
        self._readers: dict[str, Callable[[DebugContext], bytes]] = {
            "attrs": lambda context: context.attrs.text,
            "target_ids": lambda context: show_target_ids([each.id for each in context.targets]),
            "init_regions": self._read_regions,
            "schemes": lambda context: context.schemes_text(self._format),
            "kdamond_pid": self._read_pid,
            "DEPRECATED": lambda _: NOTICE,
        }
        self._writers: dict[str, Callable[[DebugContext, bytes], None]] = {
            "attrs": self._write_attrs,
            "target_ids": self._write_target_ids,
            "init_regions": self._write_regions,
            "schemes": self._write_schemes,
        }

    def __repr__(self) -> str:
        nr_running = sum(context.is_running for context in self._contexts.values())
        return f"<Dbgfs {self._release}, {nr_running} of {len(self._contexts)} running>"

    def close(self) -> None:
        """Let virtual time pass for good; kdamonds go on."""
        if self._hold is not None:
            self._hold.close()
            self._hold = None

    # -- Files ---------------------------------------------------------------

    def opened(self, branch: Branch, file: File) -> None:
        """Warn whoever opens the first file that this is a thing of the past."""
        # Per tree, as a kernel warns once per boot: more would only be noise.
        if self._release >= DEPRECATED_SINCE and not self._has_warned:
            self._has_warned = True
            structlog.get_logger().warning(
                "debugfs interface is deprecated", file=f"{branch.path}/{file.name}".lstrip("/")
            )

    def read(self, branch: Branch, file: File) -> Value:
        """
        Return the text of a file as it is now.

        Raises:
            OSError: EBUSY if it cannot be told while its context runs.
        """
        reader = self._readers.get(file.name)
        if reader is None:
            return "on" if self._damon.nr_running else "off"
        context = self._contexts[branch.name]
        context.settle()
        return reader(context)

    def asked(self, branch: Branch, file: File, value: Value) -> None:
        """
        Take what was written to a file.

        Raises:
            OSError: As the interface documents for each file.
        """
        data = value if isinstance(value, bytes) else str(value).encode()
        if file.name == "mk_contexts":
            self._make(branch, read_name(data))
        elif file.name == "rm_contexts":
            self._remove(branch, read_name(data))
        else:
            self._writers[file.name](self._contexts[branch.name], data)

    async def write(self, branch: Branch, file: File, value: Value) -> None:
        """
        Start or stop all contexts, and wait for it.

        Raises:
            OSError: EINVAL, EBUSY, EPERM; ENOMEM if the engine is out of it.
        """
        # There is only one file of this kind.
        del branch, file
        async with self._changing:
            try:
                await (self._start() if value == "on" else self._stop())
            except DamonError as error:
                raise refusal(error.errno, str(error)) from None
            finally:
                self._hold_or_not()

    # -- Directories ---------------------------------------------------------

    def _make(self, branch: Branch, name: str) -> None:
        self._check_nothing_runs()
        self._contexts[branch.add(name).name] = DebugContext()

    def _remove(self, branch: Branch, name: str) -> None:
        self._check_nothing_runs()
        del self._contexts[branch.remove(name).name]

    def _check_nothing_runs(self) -> None:
        """
        Refuse to change the group while anything runs, whoever started it.

        Raises:
            OSError: EBUSY.
        """
        nr_starting = sum(context.is_starting for context in self._contexts.values())
        if self._damon.nr_running or nr_starting:
            raise refusal(errno.EBUSY, "a context is running")

    # -- Values --------------------------------------------------------------

    def _write_attrs(self, context: DebugContext, data: bytes) -> None:
        attrs = Attrs.read(data)
        # Between the two checks: what is no attrs is refused whether or not it runs.
        context.check_idle()
        attrs.check(self._release)
        context.attrs = attrs

    def _write_target_ids(self, context: DebugContext, data: bytes) -> None:
        """Look all targets up first: those there were stay if one is not there."""
        pids = read_target_ids(data)
        targets = [self._physical()] if pids is None else [self._process(pid) for pid in pids]
        context.check_idle()
        context.set_targets(Ops.PADDR if pids is None else Ops.VADDR, targets)

    def _physical(self) -> DebugTarget:
        if self._world.memory is None:
            raise refusal(errno.EINVAL, "there is no physical memory to be monitored")
        return DebugTarget(PHYSICAL_ID, self._world.memory)

    def _process(self, pid: int) -> DebugTarget:
        space = self._world.alive(pid, self._damon.clock.now_us())
        if space is None:
            # Not ESRCH, which every user would expect: this is what kernels answer.
            raise refusal(errno.ENOMEM, f"there is no process {pid}")
        return DebugTarget(pid, space)

    def _read_regions(self, context: DebugContext) -> bytes:
        context.check_idle()
        return show_regions(context.triples(is_by_id=self._format.names_targets_by_id))

    def _write_regions(self, context: DebugContext, data: bytes) -> None:
        context.check_idle()
        context.set_regions(read_regions(data), is_by_id=self._format.names_targets_by_id)

    def _write_schemes(self, context: DebugContext, data: bytes) -> None:
        schemes = read_schemes(data, self._format)
        context.check_idle()
        context.set_schemes(schemes)

    def _read_pid(self, context: DebugContext) -> bytes:
        return b"none\n" if context.kdamond is None else b"%d\n" % context.pid

    # -- On and off ----------------------------------------------------------

    async def _start(self) -> None:
        """
        Start all contexts as one exclusive group.

        Source:
            spec interfaces 4.5.
        """
        contexts = self._contexts
        for name, context in contexts.items():
            # After an end, targets are gone whether or not anybody looked.
            if context.kdamond is None and not context.targets:
                raise refusal(errno.EINVAL, f"{name or 'the root'} has no targets")
        group = [context.parameters() for context in contexts.values()]
        # From here on others may have their turn, and find the group as it is.
        for context in contexts.values():
            context.is_starting = True
        if self._hold is not None:
            self._hold.take()
        try:
            self._adopt(await self._damon.start(group, exclusive=True))
        except DamonError as error:
            # Some of a group may run although others could not be started.
            self._adopt(started_before(error))
            raise
        finally:
            for context in contexts.values():
                context.is_starting = False

    def _adopt(self, started: Sequence[Kdamond]) -> None:
        """Give each context its kdamond."""
        # Groups are started in order, so what is missing is missing at the end.
        for context, kdamond in zip(self._contexts.values(), started, strict=False):
            context.adopt(kdamond, self._pids(kdamond))

    async def _stop(self) -> None:
        """Stop all contexts in order, up to one that does not run."""
        # Those behind go on running, and can be stopped by nobody here: the kernel, too.
        for name, context in list(self._contexts.items()):
            kdamond = context.kdamond
            if kdamond is None:
                raise refusal(errno.EPERM, f"{name or 'the root'} does not run")
            kdamond.stop_nowait()
            await kdamond.wait()

    def _hold_or_not(self) -> None:
        """Hold virtual time, if asked to, while anything runs that was started here."""
        if self._hold is None:
            return
        if any(context.is_running for context in self._contexts.values()):
            self._hold.take()
        else:
            self._hold.release()
