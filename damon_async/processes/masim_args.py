"""
The command line of masim, the memory access simulator.

Source:
    spec damo 6.1.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from ..errors import InvalidError
from ..spaces.layout import SMALL_PAGE
from ..spaces.masim_config import looks_like_masim
from ..spaces.workload import GENERATORS, MASIM, workload_forms
from .twin import Twin

HUGE_PAGE: Final = 2 * 1024**2
"""Bytes of a page with ``--use_hugetlb``."""

DEFAULT_CONFIG: Final = "configs/default"
"""What is run if nothing is named."""

_PEEK_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class MasimArgs:
    """What a command line of masim asks for."""

    config: str = DEFAULT_CONFIG
    """A configuration, or any other workload."""

    repeat: int = 1
    """How often to run all phases; 0 means for ever."""

    use_hugetlb: bool = False
    log_interval: int = 0
    """Milliseconds between two lines within a phase; 0 means none."""

    random_batch: int = 1_000
    random_array: int = 1_000
    nr_accesses_per_region: int = 131_072
    default_rw_mode: str = "wo"
    hint: str | None = None
    pr_config: bool = False
    dry_run: bool = False
    quiet: bool = False

    @property
    def page_size(self) -> int:
        """Bytes that share one accessed mark."""
        return HUGE_PAGE if self.use_hugetlb else SMALL_PAGE

    def options(self) -> dict[str, int]:
        """Return the options of a run that change what is accessed, by name."""
        return {
            "repeat": self.repeat,
            "page_size": self.page_size,
            "random_batch": self.random_batch,
            "random_array": self.random_array,
            "nr_accesses_per_region": self.nr_accesses_per_region,
        }


class _Parser(argparse.ArgumentParser):
    # A wrong command line of some other process is no reason to exit.
    def error(self, message: str) -> NoReturn:
        raise InvalidError(message)


def masim_parser(prog: str = MASIM) -> argparse.ArgumentParser:
    """Return a parser of masim's arguments; with ``-h``, huge pages are meant."""
    # Not the library of the other commands: masim's -h is no help, and this is read of
    # processes that have nothing to do with us.
    parser = _Parser(
        prog=prog,
        add_help=False,
        allow_abbrev=True,
        description="Stand for a workload: do nothing for as long as masim would access memory, "
        "so that whoever monitors this process sees that memory.",
    )
    add = parser.add_argument
    add("config", nargs="?", default=DEFAULT_CONFIG, help="configuration, or any other workload")
    add("-c", "--repeat", type=int, default=1, metavar="N", help="run N times; 0: for ever")
    add("-d", "--dry_run", action="store_true", help="check the configuration, and end")
    add("-q", "--quiet", action="store_true", help="print nothing")
    add("-p", "--pr_config", action="store_true", help="print the phases first")
    add("--log_interval", type=int, default=0, metavar="MS", help="print every MS milliseconds")
    add("-h", "--use_hugetlb", action="store_true", help="pages are of 2 MiB")
    add("--random_batch", type=int, default=1_000, metavar="N", help="random numbers per array")
    add("--random_array", type=int, default=1_000, metavar="N", help="arrays of random numbers")
    add("--nr_accesses_per_region", type=int, default=131_072, metavar="N", help="per batch")
    add("-r", "--default_rw_mode", default="wo", metavar="MODE", help="ro, wo or rw; no effect")
    add("-t", "--hint", metavar="HINT", help="madvise or mlock; no effect")
    return parser


def parse_masim_args(words: Sequence[str]) -> MasimArgs:
    """
    Read the arguments of masim, without its name.

    Raises:
        InvalidError: If there is an argument that it does not know.
    """
    return MasimArgs(**vars(masim_parser().parse_args(list(words))))


def twin_of_masim(args: MasimArgs, folder: Path | None) -> Twin:
    """
    Return the memory that a run of masim stands for.

    Args:
        args: What it was asked for.

        folder: Its working directory; None if not known, which only matters if the
            path is relative.

    Raises:
        InvalidError: If the path is relative to nobody knows what.
    """
    # In the order of open_workload: what a name means does not depend on files.
    name = args.config.partition(":")[0].strip()
    if name in GENERATORS:
        return Twin(args.config, args.repeat != 1, page_size=args.page_size)
    form, path = "", args.config
    if name in workload_forms():
        form, _, path = args.config.partition(":")
    if not Path(path).is_absolute():
        if folder is None:
            raise InvalidError(f"{path} is relative to a folder that is not known")
        path = str(folder / path)
    if form.strip() == MASIM or (not form and _is_config(Path(path))):
        options = ",".join(f"{key}={value}" for key, value in args.options().items())
        return Twin(f"{MASIM}:{path},{options}", is_repeated=False)
    return Twin(f"{form}:{path}" if form else path, args.repeat != 1, page_size=args.page_size)


def _is_config(path: Path) -> bool:
    # masim's own configurations need no suffix, and what cannot be read is not ours
    # to explain: opening it will do that.
    if path.suffix == ".cfg" or not path.is_file():
        return True
    try:
        with path.open("rb") as file:
            return looks_like_masim(file.read(_PEEK_BYTES).decode("utf-8", "replace"))
    except OSError:
        return True
