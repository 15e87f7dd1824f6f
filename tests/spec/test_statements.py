"""Which test stands for which numbered statement about the interfaces."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

EXCLUSIVE_USERS: Final = range(102, 132)
"""Statements about who may run, debugfs and the modules."""


def cited(sentence: str) -> set[int]:
    """Return the statements that a sentence cites: in brackets, or before a colon at its beginning."""
    places = re.findall(r"\(([^()]*)\)", sentence) + re.findall(r"^([\d, andto]*\d):", sentence)
    found: set[int] = set()
    for first, last in re.findall(r"\b(1\d\d)\b(?: to (1\d\d)\b)?", "; ".join(places)):
        found.update(range(int(first), int(last or first) + 1))
    return found


@pytest.mark.parametrize(
    ("sentence", "numbers"),
    [
        ("104: a module runs alone.", {104}),
        ("125 and 126: bad parameters are EINVAL.", {125, 126}),
        ("It is busy (102, 120).", {102, 120}),
        ("A shell does it (116 to 119).", {116, 117, 118, 119}),
        ("It takes one write (4.2, statement 114).", {114}),
        ("After 120 ms it reads 104: never mind.", set()),
    ],
)
def test_citing(sentence: str, numbers: set[int]) -> None:
    """Statements are cited by number, one by one or from one to another."""
    assert cited(sentence) == numbers


def test_every_statement_is_a_test(test_trees: Mapping[Path, ast.Module]) -> None:
    """Each statement about exclusive users is cited by a test."""
    found = {
        number
        for tree in test_trees.values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if node.name.startswith("test_")
        for number in cited(ast.get_docstring(node) or "")
    }
    assert set(EXCLUSIVE_USERS) - found == set()
