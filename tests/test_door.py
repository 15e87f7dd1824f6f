"""The package's public names, and what it costs to import them."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import damon_async

OPTIONAL = ("cyclopts", "matplotlib", "pytest", "rich", "yaml")
"""Libraries that only extras bring, or that only tests need."""


def _static_names(door: Path) -> dict[str, str]:
    """Return what type checkers see in the door: public name to home."""
    imports = [
        node for node in ast.walk(ast.parse(door.read_text())) if isinstance(node, ast.ImportFrom)
    ]
    return {
        alias.name: str(node.module) for node in imports if node.level == 1 for alias in node.names
    }


def _modules_after(statement: str) -> set[str]:
    """Return the top names of all modules that a fresh interpreter holds after *statement*."""
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("name", damon_async.__all__)
def test_name_resolves(name: str) -> None:
    """Every public name leads to an object of that name."""
    assert getattr(damon_async, name).__name__ == name


def test_all_is_sorted() -> None:
    """The list of public names is sorted and free of doubles."""
    assert damon_async.__all__ == sorted(set(damon_async.__all__))


def test_homes_are_all() -> None:
    """The table of homes holds the public names and no others."""
    homes = [name for names in damon_async._HOMES.values() for name in names]
    assert sorted(homes) == damon_async.__all__


def test_type_checkers_see_the_same() -> None:
    """Type checkers see each public name come from the home that the table says."""
    static = _static_names(Path(str(damon_async.__file__)))
    homes = {name: home for home, names in damon_async._HOMES.items() for name in names}
    assert static.items() >= homes.items()


def test_homes_define() -> None:
    """The home of a public name is the module that defines it, not one that borrows it."""
    for home, names in damon_async._HOMES.items():
        module = importlib.import_module(f"damon_async.{home}")
        assert [getattr(module, name).__module__ for name in names] == [module.__name__] * len(
            names
        )


def test_dir_lists_names() -> None:
    """Completion offers the names that were not fetched yet."""
    assert set(damon_async.__all__) <= set(dir(damon_async))


def test_unknown_name() -> None:
    """A name that the door does not know is an ordinary attribute error."""
    with pytest.raises(AttributeError, match="'damon_async' has no attribute 'Demon'"):
        _ = damon_async.Demon


def test_import_is_light() -> None:
    """Importing the package loads no dependency at all."""
    loaded = _modules_after("import damon_async")
    assert not loaded & {*OPTIONAL, "anyio", "numpy", "pydantic", "structlog"}


def test_names_need_no_extra() -> None:
    """Fetching every public name loads nothing that an extra brings."""
    # structlog fetches rich by itself where it is installed.
    theirs = _modules_after("import anyio, numpy, pydantic, structlog")
    assert not (_modules_after("from damon_async import *") - theirs) & set(OPTIONAL)


def test_is_typed() -> None:
    """The package tells type checkers that it is typed."""
    assert Path(str(damon_async.__file__)).with_name("py.typed").exists()
