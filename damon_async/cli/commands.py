"""
Which commands there are, and where they are defined.

Paths instead of functions: a command and all that it stands on is imported when
somebody calls it, or asks for its help.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from cyclopts import App, Group


class Command(NamedTuple):
    """A command that is not imported yet."""

    name: str
    """What it is called on the command line."""

    place: str
    """File and function, as ``file:function``."""

    summary: str
    """What lists of commands say about it: the first sentence of its own help."""


class Commands(NamedTuple):
    """A group of commands that share their first word."""

    name: str
    """The first word."""

    summary: str
    """What the group is for."""

    members: Sequence[Command]
    """The commands."""


# In the order of the alphabet, as lists print them.
COMMANDS: Final = (
    Command(
        "demo",
        "demo:demo",
        "Watch a real program and a moving pattern, the truth beside the estimate.",
    ),
    Command(
        "lru_sort",
        "module:lru_sort",
        "Control DAMON_LRU_SORT, which tells hot memory from cold, or try it on a workload.",
    ),
    Command(
        "mount", "mount:mount", "Have DAMON's control tree at a directory, until Ctrl-C or SIGTERM."
    ),
    Command(
        "reclaim",
        "module:reclaim",
        "Control DAMON_RECLAIM, which pages out what is idle, or try it on a workload.",
    ),
    Command(
        "record", "record:record", "Monitor a workload, and keep what DAMON would have seen of it."
    ),
    Command(
        "sandbox",
        "sandbox:sandbox",
        "Run a command where the files of DAMON are those of a synthetic machine.",
    ),
    Command(
        "schemes",
        "schemes:schemes",
        "Try schemes on a workload, and see what they would save and cost.",
    ),
    Command(
        "stress",
        "stress:stress",
        "Try to break the engine: run scenarios under many schedules, and put faults into it.",
    ),
    Command(
        "workloads",
        "workloads:workloads",
        "Say which workloads there are, or what the options of one are.",
    ),
)
"""Commands of one word."""

REPORTS: Final = Commands(
    "report",
    "Show what a record holds.",
    (
        Command(
            "access", "report_access:access", "Show what was accessed how often, and since when."
        ),
        Command(
            "accuracy",
            "report_accuracy:accuracy",
            "Show how the estimate compares with the truth: heatmaps side by side, and figures.",
        ),
        Command(
            "damon",
            "report_damon:damon",
            "Show kdamonds: how they monitor, and what their schemes did.",
        ),
        Command(
            "heatmap",
            "report_heatmap:heatmap",
            "Show when which part of memory was how hot: rows are times, columns addresses.",
        ),
        Command(
            "nr_regions", "report_tables:nr_regions", "Show how many regions the snapshots have."
        ),
        Command(
            "record_info",
            "report_tables:record_info",
            "Show whose a record is, when it was made, and what was monitored.",
        ),
        Command(
            "wss",
            "report_tables:wss",
            "Show how large the working set was: bytes in regions that were accessed.",
        ),
    ),
)

# Named by hand: "set" is a word of Python, and "reference" a function of ours.
TREE: Final = Commands(
    "tree",
    "Look into control trees, write to them, carry them elsewhere.",
    (
        Command("ls", "tree:ls", "List what is in a directory of a tree."),
        Command("cat", "tree:cat", "Print what files of a tree hold."),
        Command(
            "set",
            "tree:set_values",
            "Write values to files of a tree, in the order they are given.",
        ),
        Command("dump", "tree:dump", "Write down all that a tree holds."),
        Command(
            "load", "tree:load", "Have a tree hold what a file says; what it held before is gone."
        ),
        Command("diff", "tree:diff", "Compare two trees; the exit code is 1 if any value differs."),
        Command(
            "reference",
            "tree:reference_page",
            "Print the page of the documentation about all files of a tree, as markdown.",
        ),
    ),
)

MODULES: Final = Commands(
    "module",
    "Control a static module, or try one on a workload.",
    (
        Command(
            "lru_sort",
            "module:lru_sort",
            "Control DAMON_LRU_SORT, which tells hot memory from cold, or try it on a workload.",
        ),
        Command(
            "reclaim",
            "module:reclaim",
            "Control DAMON_RECLAIM, which pages out what is idle, or try it on a workload.",
        ),
        Command(
            "stat",
            "module:stat",
            "Control DAMON_STAT, or print how idle the memory of a workload is.",
        ),
    ),
)

GROUPS: Final = (REPORTS, TREE, MODULES)
"""Commands of two words."""


def add_commands(app: App, tokens: Sequence[str]) -> None:
    """
    Register all commands.

    Args:
        app: The application.

        tokens: The words of the command line, options included.
    """
    _register(app, COMMANDS, tokens)
    # A group is next to nothing, and made at once; what it holds is not.
    for group in GROUPS:
        below = App(name=group.name, help=group.summary)
        _register(below, group.members, tokens)
        app.command(below)


def _register(app: App, commands: Sequence[Command], tokens: Sequence[str]) -> None:
    for name, place, summary in commands:
        # A summary given here would replace the whole text of the command's own help,
        # so it is for lists only: there the command is not named.
        text = None if name in tokens else summary
        app.command(
            f"{__package__}.{place}",
            name=name,
            help=text,
            # Commands that come late would take over those of the options of all commands.
            group_parameters=Group.create_default_parameters(),
        )
