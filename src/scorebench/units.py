"""Durations and rates as people write them: text in, SI units out, and back. Knows no metric, no option."""

from __future__ import annotations

import math
import re

from scorebench.errors import InputError

SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_TERM = re.compile(rf"({_NUMBER})\s*(us|µs|ms|s|m|h|d)")
_MOST_DECIMALS = 4
_DURATION = re.compile(rf"(?:{_TERM.pattern}\s*)+")


def parse_seconds(text: str, place: str) -> float:
    """`90`, `90s`, `1m30s`, `250ms` → seconds, more than zero; a bare number is seconds, as in Locust.

    `place` opens the message of the InputError: the option, or the part of it, that held the text.
    """
    text = text.strip()
    if re.fullmatch(_NUMBER, text):
        seconds = float(text)
    elif _DURATION.fullmatch(text):
        seconds = sum(float(number) * SECONDS[unit] for number, unit in _TERM.findall(text))
    else:
        raise InputError(f"{place}: found {text!r}; expected a duration such as 500ms, 10s, 2m or 1m30s.")
    if not 0 < seconds < math.inf:
        raise InputError(f"{place}: found {text!r}; expected a duration above zero. Give one such as 10s.")
    return seconds


def parse_number(text: str, place: str, what: str) -> float:
    """A finite number above zero; `what` says in the InputError what was expected."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise InputError(f"{place}: found {text.strip()!r}; expected {what}, a number above zero.")
    return number


def say_seconds(seconds: float) -> str:
    """Three significant digits; milliseconds below a second: `0.35 ms`, `41.2 ms`, `1.25 s`."""
    if abs(seconds) < 0.9995:
        return f"{_three_digits(seconds * 1e3)} ms"
    return f"{_three_digits(seconds)} s"


def say_length(seconds: float) -> str:
    """Whole seconds, minutes or hours and minutes: `45 s`, `2 min 5 s`, `8 h`, `1 h 30 min`."""
    whole = round(seconds)
    large, small, size = ("h", "min", 3600) if whole >= 3600 else ("min", "s", 60)
    if whole < 60:
        return f"{whole} s"
    first, rest = divmod(whole, size)
    second = rest * 60 // size
    return f"{first} {large} {second} {small}" if second else f"{first} {large}"


def say_rate(per_s: float) -> str:
    """Three significant digits, or the whole number from a thousand up: `96.2/s`, `1,240/s`."""
    return f"{_three_digits(per_s)}/s"


def say_bytes_per_s(per_s: float) -> str:
    """`96.2 B/s`, `1.24 kB/s`, `12.5 MB/s`."""
    return f"{say_bytes(per_s)}/s"


def say_bytes(size: float) -> str:
    """Three significant digits: `96.2 B`, `1.24 kB`, `312 MB`, `1.5 GB`; the sign is kept."""
    for unit, one in (("B", 1.0), ("kB", 1e3), ("MB", 1e6)):
        if abs(size) < 999.5 * one:
            return f"{_three_digits(size / one)} {unit}"
    return f"{_three_digits(size / 1e9)} GB"


def say_percent(ratio: float) -> str:
    """`0.12` → `12 %`, `0.9994` → `99.94 %`; a share that is not whole is never rounded up to 100 %."""
    for digits in (3, 5, 7, 9) if ratio < 0.99 else (4, 6, 8, 10):
        text = f"{ratio * 100:z.{digits}g}"
        if float(text) != 100 or ratio == 1:
            return f"{text} %"
    return "99.99999999 %"


def say_change(ratio: float) -> str:
    """With a sign, and the decimals that it takes: `-0.123` → `-12.3 %`, `0.0002` → `+0.02 %`; or `0.0 %`."""
    percent = ratio * 100
    if not round(percent, _MOST_DECIMALS):
        return "0.0 %"
    decimals = next(n for n in range(1, _MOST_DECIMALS + 1) if round(percent, n))
    return f"{percent:+,.{decimals}f} %"


def _three_digits(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 999.5 else f"{number:z.3g}"
