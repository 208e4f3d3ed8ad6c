"""Durations and numbers as people write them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.errors import InputError
from scorebench.units import (
    parse_number,
    parse_seconds,
    say_bytes,
    say_bytes_per_s,
    say_change,
    say_percent,
    say_rate,
    say_seconds,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1m30s", 90), ("1h", 3600), (" 250 ms ", 0.25), ("1.5s", 1.5), (".5s", 0.5)],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    """Each unit, several in a row, and a bare number all come out in seconds."""
    assert parse_seconds(text, "--warm-up") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "0", "0s", "-5s", "5x", "nan", "inf", "5s later", "1 0s"])
def test_what_is_no_duration_is_refused_with_its_place(text: str) -> None:
    """The message names the option and quotes what was found."""
    with pytest.raises(InputError, match=r"^--warm-up: found '.*'; expected a duration"):
        parse_seconds(text, "--warm-up")


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "ten", ""])
def test_what_is_no_number_above_zero_is_refused(text: str) -> None:
    """Zero, negative, NaN, infinite and words are all named as found."""
    with pytest.raises(InputError, match="expected calls a second, a number above zero"):
        parse_number(text, "--rate", "calls a second")


def test_times_are_said_in_the_unit_that_reads_well() -> None:
    """Three digits, milliseconds below a second, and no `1e+03 ms` at the border."""
    said = [say_seconds(s) for s in (0.00035, 0.0412, 0.99949, 0.99951, 1.254, 90.0, 4321.0)]
    assert said == ["0.35 ms", "41.2 ms", "999 ms", "1 s", "1.25 s", "90 s", "4,321 s"]


def test_rates_are_said_with_three_digits_or_whole() -> None:
    """From a thousand up a rate is a whole number, with a comma."""
    assert [say_rate(r) for r in (0.5, 96.24, 999.4, 999.6, 1240.3)] == [
        "0.5/s",
        "96.2/s",
        "999/s",
        "1,000/s",
        "1,240/s",
    ]


@pytest.mark.parametrize(("ratio", "text"), [(1.0, "100 %"), (0.12, "12 %"), (0.9994, "99.94 %")])
def test_shares_are_said_in_percent(ratio: float, text: str) -> None:
    """0.12 is 12 %."""
    assert say_percent(ratio) == text


@given(st.floats(0, 1, exclude_max=True))
def test_less_than_all_is_never_said_to_be_all(ratio: float) -> None:
    """One failure in a million is not printed as 100 %."""
    assert say_percent(ratio) != "100 %"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (-0.1234, "-12.3 %"),
        (12.5, "+1,250.0 %"),
        (-0.0002, "-0.02 %"),  # a share of valid calls from 99.99 % to 99.97 %: worse, and not by "-0.0 %"
        (0.000004, "+0.0004 %"),
        (-1e-9, "0.0 %"),
        (-0.0, "0.0 %"),
    ],
)
def test_a_change_is_said_with_a_sign_if_there_is_one(ratio: float, text: str) -> None:
    """One decimal, or as many as it takes to show a digit."""
    assert say_change(ratio) == text


@pytest.mark.parametrize("say", [say_bytes, say_bytes_per_s, say_percent, say_rate, say_seconds])
def test_nothing_is_not_negative(say: Callable[[float], str]) -> None:
    """IEEE's -0.0, which subtractions and slopes leave, is zero."""
    assert say(-0.0) == say(0.0)
