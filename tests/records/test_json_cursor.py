"""Walking a JSON text: what comes next, and where it is broken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from damon_async.records.json_cursor import Cursor

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def walked(cursor: Cursor) -> Any:
    """Rebuild a document by walking its lists and objects by hand."""
    following = cursor.peek()
    if following == "[":
        return [walked(cursor) for _ in cursor.items()]
    if following == "{":
        return {key: walked(cursor) for key in cursor.members()}
    return cursor.value()


@given(tree=VALUES, indent=st.none() | st.integers(0, 3))
def test_walks_any_document(tree: object, indent: int | None) -> None:
    """Walking a document by hand finds what the decoder finds."""
    cursor = Cursor(json.dumps(tree, indent=indent))
    assert walked(cursor) == tree
    cursor.finish()


@given(tree=VALUES, data=st.data())
def test_stops_in_any_fragment(tree: object, data: st.DataObject) -> None:
    """A document that is cut anywhere is never read as a whole one, nor crashes."""
    text = json.dumps([tree, 1])
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(json.JSONDecodeError, match=r"Expecting|Unterminated|Invalid"):
        walked(Cursor(text[:cut]))


def test_counts_items() -> None:
    """Items of a list are counted from 0."""
    cursor = Cursor("[7, 8, 9]")
    assert [(index, cursor.value()) for index in cursor.items()] == [(0, 7), (1, 8), (2, 9)]


def test_may_go_back() -> None:
    """A place that was noted can be read again."""
    cursor = Cursor(' {"a": 1}')
    assert cursor.peek() == "{"
    at = cursor.at
    assert cursor.value() == {"a": 1}
    cursor.at = at
    assert cursor.value() == {"a": 1}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("3", r"Expecting '\['"),
        ("[1 2]", "Expecting ',' or ']'"),
        ("[1", "Expecting ',' or ']'"),
        ("[1,]", "Expecting value"),
    ],
)
def test_broken_lists(text: str, wrong: str) -> None:
    """A list that is none, or not closed, is told with its place."""
    cursor = Cursor(text)
    with pytest.raises(json.JSONDecodeError, match=wrong):
        [cursor.value() for _ in cursor.items()]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[]", "Expecting '{'"),
        ("{1: 2}", "Expecting a key in double quotes"),
        ('{"a" 1}', "Expecting ':'"),
        ('{"a": 1 "b": 2}', "Expecting ',' or '}'"),
        ('{"a": 1,}', "Expecting a key in double quotes"),
    ],
)
def test_broken_objects(text: str, wrong: str) -> None:
    """An object that is none, or not closed, is told with its place."""
    cursor = Cursor(text)
    with pytest.raises(json.JSONDecodeError, match=wrong):
        [cursor.value() for _ in cursor.members()]


def test_nothing_may_follow() -> None:
    """What follows the end of a document is not overlooked."""
    cursor = Cursor("[] x")
    assert list(cursor.items()) == []
    with pytest.raises(json.JSONDecodeError, match="Extra data: line 1 column 4"):
        cursor.finish()
