"""Arrivals, rates and times that can't be used are refused, with the part that is wrong."""

from __future__ import annotations

import math

import pytest

from scorebench.errors import InputError
from scorebench.load.arrivals import parse


@pytest.mark.parametrize("rate", [0, -5, math.nan, math.inf, 1_000_001])
@pytest.mark.parametrize("spec", ["constant", "poisson", "ramp:10-20"])
def test_a_rate_that_makes_no_sense_is_refused(rate: float, spec: str) -> None:
    """0, negative, NaN, infinite and above a million a second, even where the rate would not be used."""
    with pytest.raises(InputError, match=r"^--rate: found .*; expected calls a second"):
        parse(spec, rate, 60, 1)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("uniform", r"'uniform' is not known. Known are constant, poisson, ramp:FROM-TO"),
        ("poisson+", r"'' is not known"),
        ("constant:5", r"'constant:5' is not known"),
        ("ramp:", r"found '' for its rates; expected two"),
        ("ramp:10", r"found '10' for its rates"),
        ("ramp:-10-20", r"found '-10-20' for its rates"),
        ("ramp:0-20", r"rate: found '0'"),
        ("ramp:10-nan", r"rate: found 'nan'"),
        ("ramp:10-2e6", r"rate: found 2e\+06"),
        ("ramp:10-20@soon", r"duration: found 'soon'"),
        ("steps:", r"rate: found ''"),
        ("steps:10,,20", r"rate: found ''"),
        ("steps:10,x", r"rate: found 'x'"),
        ("steps:10,20,30@40s", r"the last step would start at 80 s, and the run ends at 60 s"),
        ("spike:10-20", r"a spike needs a start and a length"),
        ("spike:10-20@5s", r"a spike needs a start and a length"),
        ("spike:10-20@60s+5s", r"the spike would start at 60 s, and the run ends at 60 s"),
        ("spike:10@5s+5s", r"found '10' for its rates"),
        ("replay:", r"no file was named"),
        ("replay:x.csv*fast", r"speed: found 'fast'"),
        ("replay:x.csv*0", r"speed: found '0'"),
        ("poisson+replay:x.csv", r"replay:x.csv has its own times"),
    ],
)
def test_arrivals_that_do_not_parse_are_refused_with_the_part(spec: str, said: str) -> None:
    """The message opens with the option as written and says which part of it is wrong."""
    with pytest.raises(InputError, match=said) as caught:
        parse(spec, None, 60, 1)
    assert str(caught.value).startswith(f"--arrivals {spec}")


@pytest.mark.parametrize("spec", ["constant", "poisson", "poisson+constant"])
def test_a_missing_rate_is_asked_for(spec: str) -> None:
    """Constant and Poisson arrivals need a rate."""
    with pytest.raises(InputError, match=r"no rate was given. Add calls a second, such as --rate 100"):
        parse(spec, None, 60, 1)


@pytest.mark.parametrize("spec", ["ramp:10-20", "steps:10,20"])
def test_a_shape_without_a_length_asks_for_one(spec: str) -> None:
    """A ramp or steps over an unknown run need a duration of their own."""
    with pytest.raises(InputError, match="--run-time"):
        parse(spec, None, None, 1)


@pytest.mark.parametrize("run_time_s", [0, -1, math.nan, math.inf])
def test_a_run_time_that_makes_no_sense_is_refused(run_time_s: float) -> None:
    """0, negative, NaN and infinite."""
    with pytest.raises(InputError, match=r"^--run-time: found"):
        parse("constant", 10, run_time_s, 1)


def test_a_negative_seed_is_refused() -> None:
    """A seed is a whole number from 0 on."""
    with pytest.raises(InputError, match=r"^--seed: found -1"):
        parse("poisson", 10, None, -1)
