"""Fragments: compressed apart, concatenated to one valid stream."""

from __future__ import annotations

import io
import zlib

from hypothesis import given, strategies as st

from damon_async.records.fragments import (
    DeflatedFragment,
    Fragment,
    combine_adler32,
    write_zlib,
)


@given(first=st.binary(max_size=200), second=st.binary(max_size=200))
def test_checksum_of_two(first: bytes, second: bytes) -> None:
    """The checksum of two texts follows from their own."""
    combined = combine_adler32(zlib.adler32(first), zlib.adler32(second), len(second))
    assert combined == zlib.adler32(first + second)


def test_checksum_of_long_texts() -> None:
    """The checksum holds for texts longer than its modulus."""
    first, second = b"\xff" * 70_000, bytes(range(256)) * 700
    combined = combine_adler32(zlib.adler32(first), zlib.adler32(second), len(second))
    assert combined == zlib.adler32(first + second)


@given(parts=st.lists(st.lists(st.binary(max_size=50), max_size=3), max_size=4))
def test_concatenated_stream(parts: list[list[bytes]]) -> None:
    """Fragments written in turn make a zlib stream of all their bytes, in their order."""
    fragments = []
    for pieces in parts:
        fragment = DeflatedFragment()
        for piece in pieces:
            fragment.write(piece)
        fragment.finish()
        fragments.append(fragment)
    out = io.BytesIO()
    write_zlib(out, fragments)
    assert zlib.decompress(out.getvalue()) == b"".join(b"".join(pieces) for pieces in parts)
    for fragment in fragments:
        fragment.close()


def test_interleaved_writing() -> None:
    """Fragments may be written in turn."""
    one, two = DeflatedFragment(), DeflatedFragment()
    for number in range(100):
        one.write(b"a%d" % number)
        two.write(b"b%d" % number)
    for fragment in (one, two):
        fragment.finish()
    out = io.BytesIO()
    write_zlib(out, [one, two])
    text = zlib.decompress(out.getvalue())
    assert text.startswith(b"a0a1a2")
    assert text.endswith(b"b98b99")
    for fragment in (one, two):
        fragment.close()


def test_plain_fragment() -> None:
    """A plain fragment gives back its bytes."""
    fragment, out = Fragment(), io.BytesIO()
    fragment.write(b"one ")
    fragment.write(b"two")
    fragment.finish()
    fragment.copy_to(out)
    fragment.close()
    assert out.getvalue() == b"one two"


def test_large_fragment() -> None:
    """A fragment larger than what is kept in memory is complete as well."""
    fragment, out = Fragment(), io.BytesIO()
    for _ in range(5):
        fragment.write(b"x" * 2**20)
    fragment.copy_to(out)
    fragment.close()
    assert out.getvalue() == b"x" * 5 * 2**20
