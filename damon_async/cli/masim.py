"""
`damon-async masim`: a process that stands for a workload.

Its options are masim's own, down to ``-h`` for huge pages; so they are not read the
way those of the other commands are, and it starts in half the time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

from ..processes.masim_args import MasimArgs, masim_parser, twin_of_masim
from ..processes.masim_log import describe, stretches
from ..processes.proc import Proc
from ..processes.registry import Entry, Registry, runtime_dir
from ..processes.twin import Twin
from ..spaces.masim_config import MasimConfig, read_masim
from ..spaces.masim_speed import MasimOptions
from ..spaces.options import split_path
from ..spaces.workload import MASIM

NAME: Final = "masim"
"""What the command is called."""

_US_PER_S: Final = 1_000_000
_US_PER_MS: Final = 1_000

_FOREVER_S: Final = 3600.0
"""How long a process sleeps at a time that never ends by itself."""


def run_masim(words: Sequence[str]) -> int:
    """
    Stand for a workload until it is over.

    Args:
        words: The command line, without the name of the command.

    Returns:
        The exit code.

    Raises:
        InvalidError: If the command line or the workload makes no sense.

        InputFileError: If the configuration cannot be read.
    """
    args = _parsed(words)
    twin = twin_of_masim(args, Path.cwd())
    # Checked before anybody is told of it.
    run = _Run.of_masim(twin, args) if twin.spec.startswith(f"{MASIM}:") else _Run.of(twin, args)
    if args.dry_run:
        run.introduce()
        return 0
    registry = Registry(runtime_dir())
    entry = Entry(twin.spec, page_size=twin.page_size, is_repeated=twin.is_repeated)
    with registry.registered(entry):
        run.introduce()
        run.sleep_through()
    return 0


def _parsed(words: Sequence[str]) -> MasimArgs:
    """Read the command line; what all commands take has no effect beyond the entry's."""
    parser = masim_parser(f"damon-async {NAME}")
    parser.add_argument("--help", action="help", help="show this, and end")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.add_argument("--log_level", help="no effect: nothing is logged")
    given = vars(parser.parse_args(list(words)))
    return MasimArgs(**{each.name: given[each.name] for each in fields(MasimArgs)})


class _Run:
    """A workload that a process sleeps through."""

    def __init__(self, args: MasimArgs, end_us: int | None) -> None:
        self._args = args
        self._end_us = end_us
        self._config: MasimConfig | None = None
        self._options = MasimOptions()
        self._began_s = time.monotonic() - _age_s()

    @classmethod
    def of_masim(cls, twin: Twin, args: MasimArgs) -> _Run:
        """Read a configuration of masim."""
        run = cls(args, None)
        path, _ = split_path(twin.spec.partition(":")[2])
        run._config = read_masim(path)
        run._options = MasimOptions(**args.options())
        return run

    @classmethod
    def of(cls, twin: Twin, args: MasimArgs) -> _Run:
        """Open any other workload, to see how long it takes."""
        lap_us = twin.open().lifetime_us
        return cls(args, lap_us * args.repeat if lap_us is not None and args.repeat else None)

    def introduce(self) -> None:
        """Print what will be run, if that is wanted."""
        if self._args.pr_config and self._config is not None:
            self._say(*describe(self._config))

    def sleep_through(self) -> None:
        """Let the time pass that the workload takes."""
        for end_us, line in self._stretches():
            # Counted from the start of the process, as whoever monitors it does.
            left_s = self._began_s + end_us / _US_PER_S - time.monotonic()
            if left_s > 0:
                time.sleep(left_s)
            self._say(*line)

    def _stretches(self) -> Iterator[tuple[int, Sequence[str]]]:
        if self._config is not None:
            interval_us = self._args.log_interval * _US_PER_MS
            for end_us, line in stretches(self._config, self._options, interval_us):
                yield end_us, [line]
        elif self._end_us is not None:
            yield self._end_us, ()
        else:
            while True:
                yield round((time.monotonic() - self._began_s + _FOREVER_S) * _US_PER_S), ()

    def _say(self, *lines: str) -> None:
        if not self._args.quiet:
            # At once: whoever reads along wants to know when a phase begins.
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()


def _age_s() -> float:
    """Return for how long this process has been running, in seconds; 0 if not known."""
    proc = Proc()
    status = proc.status()
    if status is None:
        return 0.0
    return max(0, proc.uptime_us() - proc.start_us(status.id)) / _US_PER_S
