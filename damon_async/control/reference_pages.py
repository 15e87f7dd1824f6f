"""The reference pages that there are: which tree each is about, and what it says first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .admin import ADMIN
from .dbgfs import LAST, ROOT
from .declared import Directory
from .module_tree import MODULE
from .reference import SYSFS_PAGE, Page, reference

DEBUGFS_PAGE: Final = Page(
    "Files of the debugfs tree",
    "/sys/kernel/debug/damon",
    (
        (
            f"Kernels up to {LAST} have them. What the numbers in them mean, and how to use them in a "
            "program, tells [the page about the interface](debugfs.md)."
        ),
        (
            "An open file takes one write, at its beginning; a second one is `EINVAL`. A text of "
            "more than 4 MiB is `ENOMEM`. Modes tell nothing here: reading what can only be written, "
            "or writing what can only be read, is `EINVAL`."
        ),
        (
            "While a context runs its files cannot be written: `EBUSY`. `init_regions` cannot be "
            "read then, either. A context more is a directory of the name that is written to "
            "`mk_contexts`."
        ),
    ),
)
"""The page of the tree in debugfs."""

MODULES_PAGE: Final = Page(
    "Parameters of the modules",
    "/sys/module",
    (
        (
            "Numbers are decimal, or hexadecimal behind `0x`, or octal behind `0`; they read as "
            "decimals. Too large ones are `ERANGE`, before 6.1 `EINVAL`."
        ),
        (
            "Whatever is written is stored, and nothing looks whether it makes sense beside the "
            "others: that is for `enabled`, and for `commit_inputs`, which makes a running module "
            "take the parameters anew. All modules run alone; who else is kept out, and is told "
            "what, stands in [Who runs with whom](who-runs-with-whom.md)."
        ),
        (
            "Before 6.2 `enabled` reports no failure but of the word itself. Before 7.0 "
            "`commit_inputs` is a flag that reads `Y` until it was seen to, after an aggregation; bad "
            "parameters stop the module then. From 7.0 on the write waits and reports them."
        ),
        "Read-only parameters change with each aggregation. Writing to them is `EACCES`.",
    ),
)
"""The page of the parameters of modules."""

PAGES: Final[Mapping[str, tuple[Directory, Page]]] = {
    "sysfs": (ADMIN, SYSFS_PAGE),
    "debugfs": (ROOT, DEBUGFS_PAGE),
    "modules": (MODULE, MODULES_PAGE),
}
"""All of them, by the name of the tree."""


def page_about(tree: str) -> str:
    """Return the reference page of a tree, which is one of ``PAGES``."""
    return reference(*PAGES[tree])
