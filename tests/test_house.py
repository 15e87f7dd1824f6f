"""
The walls of the house, as tables held against the syntax trees of all files.

A module is named by its path inside the package, without ".py": "spaces/space".
Its room is the first part of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

Trees = Mapping[Path, ast.Module]

GROUND: Final = {"arrays", "errors", "units", "params"}

ROOMS_BELOW: Final[dict[str, set[str]]] = {
    # Who may import whom, besides the files of the own room. Ground floor:
    "arrays": set(),
    "errors": set(),
    "units": {"errors"},
    "params": {"arrays", "errors", "units"},
    # The truth knows nothing of its observer.
    "regions": GROUND,
    "spaces": GROUND,
    "operations": GROUND | {"regions", "spaces"},
    "records": GROUND | {"regions", "spaces"},
    "schemes": GROUND | {"regions", "spaces", "operations", "records"},
    "monitor": GROUND | {"regions", "spaces", "operations", "records", "schemes"},
    "engine": GROUND | {"regions", "spaces", "operations", "records", "schemes", "monitor"},
    # A process has memory, whoever looks at it.
    "processes": GROUND | {"spaces"},
    # Ready-made uses of the engine.
    "modules": GROUND
    | {"regions", "spaces", "operations", "records", "schemes", "monitor", "engine"},
    "control": GROUND
    | {"regions", "spaces", "operations", "records", "schemes", "monitor", "engine", "modules"},
    # Plain loops over monitors: no engine, no clock, no task.
    "whatif": GROUND | {"regions", "spaces", "operations", "records", "schemes", "monitor"},
    # A report is made of records and of what runs came to, whoever made those.
    "reports": GROUND | {"regions", "spaces", "operations", "records", "whatif"},
    # Tools for tests of all of it, by users and by us.
    "testing": GROUND
    | {"regions", "spaces", "operations", "records", "schemes", "monitor", "engine", "control"},
    # The house put to the test.
    "stress": GROUND
    | {"regions", "spaces", "operations", "records", "schemes", "monitor", "engine", "control"}
    | {"testing"},
    # A whole machine around a command.
    "sandbox": GROUND
    | {"regions", "spaces", "operations", "records", "schemes", "monitor", "engine"}
    | {"control", "modules", "processes"},
    "cli": GROUND
    | {"regions", "spaces", "operations", "records", "schemes", "monitor", "engine"}
    | {"control", "modules", "processes", "sandbox", "stress", "testing"}
    | {"whatif", "reports"},
    "__main__": {"cli"},
}

PROTOCOLS: Final = {
    "spaces/space",
    "operations/base",
    # What is asked of a set, and what it answers, as plain values.
    "operations/events",
    "operations/metrics",
    "operations/requests",
}
"""All that monitor and schemes may know of spaces and operations sets."""

OBSERVERS: Final = {"monitor", "schemes"}
"""Rooms that must work with any space and any operations set."""

OUTSIDE_THE_CORE: Final = {
    "engine",
    "control",
    "processes",
    "modules",
    "sandbox",
    "testing",
    "stress",
    "reports",
    "cli",
    "__main__",
}
"""Rooms that may wait, look at a clock or write files as they go."""

WAITING: Final = {"anyio", "asyncio", "threading", "trio", "multiprocessing", "time", "random"}
"""Modules through which time, tasks or a global generator would come in."""

EXTRAS: Final = {"cyclopts", "rich", "matplotlib", "mfusepy", "yaml", "uvloop"}
"""Modules that only an extra brings; imported where they are used."""

SEEDED: Final = {
    "BitGenerator",
    "Generator",
    "PCG64",
    "PCG64DXSM",
    "Philox",
    "SeedSequence",
    "default_rng",
}
"""What of numpy.random is not the global generator."""


def _name(path: Path) -> str:
    return path.with_suffix("").as_posix()


def _imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """List all imports, those in functions and under TYPE_CHECKING included."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node


def _outside(tree: ast.AST) -> set[str]:
    """Return the full names of all modules from outside that *tree* imports."""
    names = set()
    for node in _imports(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif node.level == 0:
            names.add(str(node.module))
    return names


def _inside(path: Path, tree: ast.AST, known: set[str]) -> Iterator[str]:
    """Name every module of the package that *tree* imports; the door is "__init__"."""
    for node in _imports(tree):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        # One dot is the own folder, two are the folder above it.
        base = path.parents[node.level - 1]
        if node.module is not None:
            base = base.joinpath(*node.module.split("."))
        for alias in node.names:
            inner = (base / alias.name).as_posix()
            outer = base.as_posix() if base != Path() else "__init__"
            yield inner if inner in known else outer


def _graph(trees: Trees) -> dict[str, set[str]]:
    """Return which module imports which, the door left out."""
    known = {_name(path) for path in trees}
    return {
        _name(path): set(_inside(path, tree, known))
        for path, tree in trees.items()
        if _name(path) != "__init__"
    }


def _cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return modules that import each other in a ring, or an empty list."""
    left = dict(graph)
    while left:
        # Whoever imports nothing that is left cannot be part of a ring.
        free = {name for name, used in left.items() if not used & left.keys()}
        if not free:
            return sorted(left)
        left = {name: used for name, used in left.items() if name not in free}
    return []


def _top_level(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """List the imports that run when the module is loaded."""
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node


def test_every_room_has_walls(package_trees: Trees) -> None:
    """Every room that exists stands in the table of walls."""
    rooms = {_name(path).split("/")[0] for path in package_trees} - {"__init__"}
    assert rooms <= ROOMS_BELOW.keys()


def test_walls_have_no_cycle() -> None:
    """The table of walls itself puts every room on a floor."""
    assert _cycle(ROOMS_BELOW) == []


def test_rooms_have_one_level(package_trees: Trees) -> None:
    """No file is deeper than one room below the package."""
    assert [str(path) for path in package_trees if len(path.parts) > 2] == []


def test_imports_are_relative(package_trees: Trees) -> None:
    """Nobody inside names the package; imports of its own files are relative."""
    guilty = [
        str(path)
        for path, tree in package_trees.items()
        if any(name.split(".")[0] == "damon_async" for name in _outside(tree))
    ]
    assert guilty == []


def test_nobody_imports_the_door(package_trees: Trees) -> None:
    """Nobody inside imports the door, nor a room instead of a file of it."""
    graph = _graph(package_trees)
    doors = {used for modules in graph.values() for used in modules} - graph.keys()
    assert doors == set()


def test_imports_go_down(package_trees: Trees) -> None:
    """An import stays in its room or goes to a room below it."""
    guilty = [
        f"{name} imports {used}"
        for name, modules in _graph(package_trees).items()
        for used in sorted(modules)
        if (room := name.split("/")[0]) != (other := used.split("/")[0])
        and other not in ROOMS_BELOW.get(room, set())
    ]
    assert guilty == []


def test_observers_know_protocols_only(package_trees: Trees) -> None:
    """Monitor and schemes import no concrete space and no concrete operations set."""
    guilty = [
        f"{name} imports {used}"
        for name, modules in _graph(package_trees).items()
        for used in sorted(modules - PROTOCOLS)
        if name.split("/")[0] in OBSERVERS and used.split("/")[0] in {"spaces", "operations"}
    ]
    assert guilty == []


def test_no_cycles(package_trees: Trees) -> None:
    """No modules import each other in a ring, type-only imports included."""
    assert _cycle(_graph(package_trees)) == []


def test_core_does_not_wait(package_trees: Trees) -> None:
    """Below the engine nobody can wait, look at a clock or draw from a global generator."""
    guilty = [
        f"{path} imports {name}"
        for path, tree in package_trees.items()
        if _name(path).split("/")[0] not in OUTSIDE_THE_CORE
        for name in sorted(_outside(tree))
        if name.split(".")[0] in WAITING
    ]
    assert guilty == []


def test_core_has_no_coroutines(package_trees: Trees) -> None:
    """Below the engine nothing is async."""
    guilty = [
        str(path)
        for path, tree in package_trees.items()
        if _name(path).split("/")[0] not in OUTSIDE_THE_CORE
        and any(isinstance(node, (ast.AsyncFunctionDef, ast.Await)) for node in ast.walk(tree))
    ]
    assert guilty == []


def test_generators_are_seeded(package_trees: Trees) -> None:
    """Nobody uses numpy's global generator, nor one without a seed."""
    guilty = []
    for path, tree in package_trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("np.random"):
                guilty += [f"{path}: {node.attr}"] * (node.attr not in SEEDED)
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
                guilty += [f"{path}: no seed"] * (not node.args)
    assert guilty == []


def test_extras_are_imported_late(package_trees: Trees) -> None:
    """Outside the command line no module needs an extra to be loaded."""
    guilty = [
        f"{path} imports {ast.unparse(node)}"
        for path, tree in package_trees.items()
        if path.parts[0] != "cli"
        for node in _top_level(tree)
        if any(name.split(".")[0] in EXTRAS for name in _outside(node))
    ]
    assert guilty == []


def test_rooms_are_empty_inits(package_trees: Trees) -> None:
    """A room's __init__ holds a docstring of one line and nothing else."""
    for path, tree in package_trees.items():
        if path.name == "__init__.py" and len(path.parts) == 2:
            assert len(tree.body) == 1, path
            assert "\n" not in str(ast.get_docstring(tree, clean=False)), path


def test_no_module_state(package_trees: Trees) -> None:
    """No function changes a module's variables."""
    guilty = [
        str(path)
        for path, tree in package_trees.items()
        if any(isinstance(node, ast.Global) for node in ast.walk(tree))
    ]
    assert guilty == []


def test_module_tables_are_constants(package_trees: Trees) -> None:
    """A list, dictionary or set that a module holds is named as the constant it is."""
    guilty = [
        f"{path}:{node.lineno}"
        for path, tree in package_trees.items()
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and isinstance(node.value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp))
        and not ast.unparse(node).split(":")[0].split(" ")[0].strip("_").isupper()
        and not ast.unparse(node).startswith("__all__")
    ]
    assert guilty == []


@pytest.mark.parametrize(
    ("graph", "ring"),
    [
        ({"a": {"b"}, "b": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, ["a", "b", "c"]),
        ({"a": {"a"}}, ["a"]),
    ],
)
def test_cycle_is_found(graph: dict[str, set[str]], ring: list[str]) -> None:
    """The search for rings finds them, with whoever leads into one."""
    assert _cycle(graph) == ring


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("from .. import units", ["units"]),
        ("from .. import Damon", ["__init__"]),
        ("from ..errors import DamonError", ["errors"]),
        ("from . import space", ["spaces/space"]),
        ("from . import Space", ["spaces"]),
        ("def f():\n    from .space import Space, Truth", ["spaces/space"] * 2),
        ("import numpy", []),
    ],
)
def test_imports_are_read(source: str, modules: list[str]) -> None:
    """Relative imports are traced to the modules they mean."""
    known = {"units", "errors", "spaces/space", "spaces/traces"}
    assert list(_inside(Path("spaces/traces.py"), ast.parse(source), known)) == modules
