"""Numbers as reports print them, where ``units`` leaves off."""

from __future__ import annotations

from ..units import format_number, format_size, format_time_ns


def signed_time_ns(time_ns: int, *, raw: bool = False) -> str:
    """Print nanoseconds that may lie before the beginning of time: ``-2 s``."""
    # Ages reach back before the first snapshot (spec damo 4.1), and so perhaps
    # before the clock began.
    sign = "-" if time_ns < 0 else ""
    return sign + format_time_ns(abs(time_ns), raw=raw)


def truncated(number: float, *, raw: bool = False) -> str:
    """
    Print a number without what follows its point: ``-156,188``.

    A fraction above -1 keeps its sign, ``-0``, as damo has it.
    """
    # By hand, because the integer of -0.5 has no sign any more.
    sign = "-" if number < 0 else ""
    return sign + format_number(int(abs(number)), raw=raw)


def address(byte: int, *, raw: bool = False) -> str:
    """Print an address with six decimals: ``127.576196 TiB``; below 1025 ``100 B``."""
    return str(byte) if raw else _with_decimals(byte, 6)


def mean_size(size: float, *, raw: bool = False) -> str:
    """Print a size that need not be whole: ``746.444 KiB``; below 1025 ``153 B``."""
    return str(int(size)) if raw else _with_decimals(size, 3)


def _with_decimals(size: float, decimals: int) -> str:
    # The unit is that of the whole bytes, as damo has it.
    text = format_size(int(size))
    if "." not in text:
        return text
    unit = text.split(" ")[1]
    power = "KMGTPE".index(unit[0]) + 1
    return f"{size / 1024**power:.{decimals}f} {unit}"


def span(start: int, end: int, *, raw: bool = False) -> str:
    """Print a range of addresses and its size: ``[4.000000 KiB, 1.000000 MiB) (1020.000 KiB)``."""
    bounds = f"[{address(start, raw=raw)}, {address(end, raw=raw)})"
    return f"{bounds} ({format_size(end - start, raw=raw)})"


def time_span(start_ns: int, end_ns: int, *, raw: bool = False) -> str:
    """Print a range of times and its length: ``[300 ms, 1.200 s) (900 ms)``."""
    bounds = f"[{signed_time_ns(start_ns, raw=raw)}, {signed_time_ns(end_ns, raw=raw)})"
    return f"{bounds} ({signed_time_ns(end_ns - start_ns, raw=raw)})"
