"""The cyclopts application: which commands there are, and what all of them take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated, Final

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.help import ColumnSpec, DefaultFormatter, DescriptionRenderer, NameRenderer

from ..errors import InvalidError
from .commands import add_commands
from .log import LogLevel, configure_log

HELP: Final = """\
See where memory is hot, as the Linux data access monitor DAMON would estimate it: over synthetic \
memory, without kernel or root, an hour in seconds of virtual time."""

EPILOGUE: Final = """\
Sizes are like 4K or 1.5 GiB, times like 5ms or 1.5s, shares like 5%; "max" is the largest of each.

Exit codes: 0 done, 2 something impossible was asked for, 1 a bug; 130 and 143 interrupted before \
there was anything to keep."""

DASHES: Final = "--"
"""What separates our command line from that of another program."""

NAME_WIDTH: Final = len("--monitoring_intervals_autotune")
"""Columns for the names of options in help texts."""


def run(tokens: Sequence[str]) -> int:
    """
    Parse a command line and do what it says.

    Returns:
        The exit code of the command.

    Raises:
        InvalidError: If the command line cannot be understood.
    """
    # What stands behind two dashes is another program's command line, options and all.
    at = tokens.index(DASHES) if DASHES in tokens else len(tokens)
    app = build_app(tokens[:at], tokens[at:])
    # What cyclopts would print itself is a box of several lines, and where it
    # would exit, the process of a test would.
    try:
        result = app.meta(
            list(tokens[:at]),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        raise InvalidError(str(error)) from error
    return result if isinstance(result, int) else 0


def build_app(tokens: Sequence[str] = (), behind: Sequence[str] = ()) -> App:
    """
    Make the application; nothing of it is shared between two calls.

    Args:
        tokens: The words of the command line.

        behind: Two dashes and the words behind them, handed on as they are.
    """
    app = App(
        name="damon-async",
        help=HELP,
        help_epilogue=EPILOGUE,
        # Not for its marks: it is the format that fills lines.
        help_format="markdown",
        help_formatter=_formatter(),
        version=version("damon_async"),
        # Options are spelled as damo spells them, underscores and all; and a flag
        # has no opposite that nobody would ask for.
        default_parameter=Parameter(name_transform=_as_is, negative=()),
    )
    add_commands(app, tokens)
    app.command(masim)
    # The meta app takes its own options from anywhere on the line and hands the
    # rest on; its group comes last in every help text.
    app.meta.group_parameters = Group("Every command", sort_key=99)
    app.meta.default(_launcher(app, tuple(behind)))
    return app


def masim(*words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]) -> int:
    """
    Stand for a workload: a process whose synthetic memory others monitor.

    Options are masim's own; damon-async masim --help lists them.

    Args:
        words: Its command line.
    """
    # Gets here only behind an option of all commands; see the entry.
    from .masim import run_masim

    return run_masim(words)


def _formatter() -> DefaultFormatter:
    """Give names the room that the longest needs: a name cut in two cannot be searched for."""
    # A third of the width, as cyclopts has it, would cut the longest ones.
    names = ColumnSpec(
        renderer=NameRenderer(max_width=NAME_WIDTH), style="cyclopts.name", max_width=NAME_WIDTH
    )
    return DefaultFormatter(column_specs=(names, ColumnSpec(renderer=DescriptionRenderer())))


def _as_is(name: str) -> str:
    return name


def _launcher(app: App, behind: tuple[str, ...]) -> Callable[..., object]:
    def launch(
        # May look like options, because most of them are options of a command.
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        log_level: LogLevel = "warning",
        debug: bool = False,
    ) -> object:
        """
        Run one command.

        Args:
            tokens: The command and its options.

            log_level: From which level on log lines are printed on stderr.

            debug: Show the traceback of an error, here and in the log.
        """
        configure_log(log_level, has_traces=debug)
        return app((*tokens, *behind))

    return launch
