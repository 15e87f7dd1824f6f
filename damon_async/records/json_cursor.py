"""
Walk a JSON text without building all of it.

An hour of monitoring is hundreds of megabytes of text; as one tree of Python
objects it would be gigabytes. So the outer layers are walked by hand, and only
what they hold is decoded, one value after the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

_DECODER: Final = json.JSONDecoder()
# What JSON takes for blank, which is less than what Python does.
_BLANK: Final = re.compile(r"[ \t\n\r]*")


class Cursor:
    """
    A place in a JSON text.

    Every method raises ``json.JSONDecodeError`` if the text is not JSON there.

    Args:
        text: The whole document.

    Attributes:
        at: Index of the next character; may be put back to read again.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self) -> str:
        """Return the next character that is not blank, "" at the end."""
        blank = _BLANK.match(self.text, self.at)
        self.at = self.at if blank is None else blank.end()
        # A slice is empty at the end of the text, where an index would raise.
        return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        """Decode the next value, whatever it is."""
        self.peek()
        # Values are still decoded in C; only the layers around them are walked
        # in Python.
        found, self.at = _DECODER.raw_decode(self.text, self.at)
        return found

    def items(self) -> Iterator[int]:
        """Step into a list and stop before each item, counting from 0."""
        index = 0
        is_last = self._enters("[", "]")
        while not is_last:
            yield index
            index += 1
            # Raises as well if the caller has not decoded the item: no two
            # items are mixed up.
            is_last = self._take(",]") == "]"

    def members(self) -> Iterator[str]:
        """Step into an object and stop before each value, telling its key."""
        is_last = self._enters("{", "}")
        while not is_last:
            # The decoder would take any value for a key.
            if self.peek() != '"':
                raise self._error("Expecting a key in double quotes")
            key = str(self.value())
            self._take(":")
            yield key
            is_last = self._take(",}") == "}"

    def finish(self) -> None:
        """Make sure that nothing follows."""
        if self.peek():
            raise self._error("Extra data")

    def _enters(self, opening: str, closing: str) -> bool:
        """Step over the opening bracket; tell whether the closing one follows at once."""
        self._take(opening)
        is_empty = self.peek() == closing
        self.at += is_empty
        return is_empty

    def _take(self, expected: str) -> str:
        found = self.peek()
        if not found or found not in expected:
            wanted = " or ".join(repr(each) for each in expected)
            raise self._error(f"Expecting {wanted}")
        self.at += 1
        return found

    def _error(self, message: str) -> json.JSONDecodeError:
        # That of the decoder, so that callers need to know one exception and
        # its place in the text.
        return json.JSONDecodeError(message, self.text, self.at)
