"""What can be counted about style: sizes, sentences, pinned messages."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import pytest

Trees = Mapping[Path, ast.Module]
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50


@pytest.fixture(scope="session")
def all_trees(package_trees: Trees, test_trees: Trees) -> Trees:
    """Return the syntax trees of package and tests."""
    package = {"damon_async" / path: tree for path, tree in package_trees.items()}
    return package | {"tests" / path: tree for path, tree in test_trees.items()}


def _functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _lines(function: Function) -> int:
    """Count the lines of a function, its docstring left out."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def _tests(test_trees: Trees) -> Iterator[tuple[str, Function]]:
    for path, tree in test_trees.items():
        for function in _functions(tree):
            if path.name.startswith("test_") and function.name.startswith("test_"):
                yield f"{path}::{function.name}", function


def test_files_are_short(all_trees: Trees, root: Path) -> None:
    """No file has more than 400 lines."""
    lengths = {path: len((root / path).read_text().splitlines()) for path in all_trees}
    assert {path: n for path, n in lengths.items() if n > MAX_FILE_LINES} == {}


def test_functions_are_short(all_trees: Trees) -> None:
    """No function has more than 50 lines, its docstring left out."""
    guilty = [
        f"{path}::{function.name}"
        for path, tree in all_trees.items()
        for function in _functions(tree)
        if _lines(function) > MAX_FUNCTION_LINES
    ]
    assert guilty == []


def test_tests_are_sentences(test_trees: Trees) -> None:
    """Every test states its fact in one sentence."""
    guilty = []
    for name, function in _tests(test_trees):
        sentence = " ".join((ast.get_docstring(function) or "").split())
        if not sentence.endswith(".") or ". " in sentence.replace("e.g. ", ""):
            guilty.append(name)
    assert guilty == []


def test_messages_are_pinned(test_trees: Trees) -> None:
    """Every expected exception is expected with its message."""
    guilty = [
        f"{path}:{node.lineno}"
        for path, tree in test_trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "pytest.raises"
        and not any(keyword.arg == "match" for keyword in node.keywords)
    ]
    assert guilty == []


def test_parameters_are_documented(package_trees: Trees) -> None:
    """Every field of a parameter model has its own docstring."""
    guilty = [
        f"{path}: {ast.unparse(field.target)}"
        for path, tree in package_trees.items()
        for model in ast.walk(tree)
        if isinstance(model, ast.ClassDef) and "Parameters" in map(ast.unparse, model.bases)
        for field, after in pairwise([*model.body, ast.Pass()])
        if isinstance(field, ast.AnnAssign)
        and not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]
    assert guilty == []


def test_files_have_docstrings(package_trees: Trees) -> None:
    """Every file of the package says what it is for."""
    assert [str(path) for path, tree in package_trees.items() if not ast.get_docstring(tree)] == []
