"""Arrivals: a rate, a shape and a seed become due times. Arithmetic; owns no clock, sends nothing.

The k-th call is due at inverse(k) of its shape when calls come evenly, and at inverse(E₁ + … + E_k) when they
come at random, E being exponential with mean 1: a Poisson process by inversion (Çinlar 1975, Introduction to
Stochastic Processes, ch. 4). So each shape can be even or random.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scorebench.errors import InputError
from scorebench.load.blocks import Blocks
from scorebench.load.shape import Piece, Shape
from scorebench.load.trace import Trace, read_trace
from scorebench.units import parse_number, parse_seconds, say_rate, say_seconds

DEFAULT = "constant"
RECORDED = "recorded"
FASTEST_PER_S = 1_000_000.0
SLOWEST_PER_S = 1e-6
"""A call in eleven days; a run lasts a week at most."""
KNOWN = (
    "constant, poisson, ramp:FROM-TO[@DURATION], steps:RATE,RATE,…[@DURATION], "
    "spike:BASE-PEAK@START+DURATION, replay:FILE[*SPEED], recorded[*SPEED], and poisson+SHAPE for a shape at "
    "random"
)


@dataclass(frozen=True)
class Recorded:
    """Times that are yet to be read from the bodies: `played` makes a trace of them."""

    speed: float

    def played(self, times_s: Sequence[float], spec: str) -> Trace:
        """The times as due times, the first at 0; InputError where there are none."""
        if not times_s:
            raise InputError(
                f"--arrivals {spec}: the bodies have no times. Give --body a data capture of SageMaker or an "
                "inference table of Databricks, or use replay:FILE."
            )
        return Trace(np.asarray(times_s, dtype=np.float64) - times_s[0]).played(self.speed)


@dataclass(frozen=True)
class Arrivals:
    """A schedule of calls, the same at each reading; `load.dealing` deals it out over workers."""

    spec: str
    source: Shape | Trace | Recorded
    is_random: bool
    seed: int
    run_time_s: float | None = None
    note: str | None = None

    def at_times(self, times_s: Sequence[float]) -> Arrivals:
        """With the times that the bodies were recorded at, in Unix seconds, where those are asked for."""
        if not isinstance(self.source, Recorded):
            return self
        return replace(self, source=self.source.played(times_s, self.spec))

    def due_times(self) -> Iterator[float]:
        """Seconds from the start, ascending, all before `run_time_s`; without one a shape never ends."""
        blocks = self.blocks()
        for _, counts in blocks.since():
            block = blocks.due_s(counts)
            if self.run_time_s is not None and block[-1] >= self.run_time_s:
                yield from block[block < self.run_time_s].tolist()
                return
            yield from block.tolist()

    def blocks(self) -> Blocks:
        """The calls in blocks, for who sends some of them."""
        assert not isinstance(self.source, Recorded)
        return Blocks(self.source, is_random=self.is_random, seed=self.seed)

    def expected_calls(self, run_time_s: float) -> float:
        """Calls due before `run_time_s`: exact for even ones and for a trace, the mean for random ones.

        Infinite for a shape without end.
        """
        assert not isinstance(self.source, Recorded)
        if isinstance(self.source, Shape) and run_time_s == math.inf:
            return math.inf
        if self.is_random and isinstance(self.source, Shape):
            return self.source.calls(run_time_s)
        return float(self.source.count_before(run_time_s))

    def rate_at(self, at_s: float) -> float:
        """Offered rate, calls a second; of a trace, the calls in that whole second. 0 outside the run."""
        if at_s < 0 or (self.run_time_s is not None and at_s >= self.run_time_s):
            return 0.0
        assert not isinstance(self.source, Recorded)
        return self.source.rate_at(at_s)


def parse(spec: str | None, rate_per_s: float | None, run_time_s: float | None, seed: int) -> Arrivals:
    """What `--arrivals`, `--rate`, `--run-time` and `--seed` ask for; InputError says which part is wrong.

    constant              evenly, `rate_per_s` calls a second: the k-th at k / rate
    poisson               at random, `rate_per_s` in the mean, as from many callers who don't know each other
    ramp:10-500           the rate rises (or falls) in a straight line over the run; ramp:10-500@60s in 60 s,
                          and stays there
    steps:10,20,40@10s    each rate for 10 s, the last until the end; without @10s they share the run evenly
    spike:50-500@10s+5s   50 a second, and 500 from second 10 for 5 s
    replay:calls.csv      the timestamps of a file, from its first; replay:calls.csv*2 plays it twice as fast
    recorded              the times at which the bodies of --body were recorded; recorded*2 twice as fast
    poisson+ramp:10-500   any shape but recorded times, at random

    `rate_per_s` is for the first two: the others name their rates, and `note` says so when both were given.
    """
    spec = (spec or DEFAULT).strip()
    if isinstance(seed, bool) or seed < 0:
        raise InputError(f"--seed: found {seed}; expected a whole number, 0 or above.")
    if run_time_s is not None and not 0 < run_time_s < math.inf:
        raise InputError(f"--run-time: found {run_time_s:g} s; expected a time above zero, such as 60s.")
    if rate_per_s is not None:
        _checked_rate(rate_per_s, "--rate")
    is_random, shape = _split_poisson(spec)
    source = _source(shape, rate_per_s, run_time_s, spec)
    note = None
    if rate_per_s is not None and shape != "constant":
        note = f"--rate {say_rate(rate_per_s)} is not used: --arrivals {spec} names its own rates."
    return Arrivals(spec, source, is_random, seed, run_time_s, note)


def _split_poisson(spec: str) -> tuple[bool, str]:
    if spec == "poisson":
        return True, "constant"
    if not spec.startswith("poisson+"):
        return False, spec
    shape = spec.removeprefix("poisson+").strip()
    if shape.startswith(("replay", "recorded")):
        raise InputError(f"--arrivals {spec}: {shape} has its own times. Leave out 'poisson+'.")
    return True, shape


def _source(
    shape: str, rate_per_s: float | None, run_time_s: float | None, spec: str
) -> Shape | Trace | Recorded:
    kind, _, argument = shape.partition(":")
    match kind:
        case "constant" if not argument:
            return _constant(rate_per_s, spec)
        case "ramp":
            return _ramp(argument, run_time_s, spec)
        case "steps":
            return _steps(argument, run_time_s, spec)
        case "spike":
            return _spike(argument, run_time_s, spec)
        case "replay":
            return _replay(argument, spec)
    if shape == RECORDED or shape.startswith(f"{RECORDED}*"):
        return Recorded(_speed(shape, spec))
    raise InputError(f"--arrivals {spec}: {shape!r} is not known. Known are {KNOWN}.")


def _constant(rate_per_s: float | None, spec: str) -> Shape:
    if rate_per_s is None:
        raise InputError(f"--arrivals {spec}: no rate was given. Add calls a second, such as --rate 100.")
    return Shape((Piece(0.0, rate_per_s),))


def _ramp(argument: str, run_time_s: float | None, spec: str) -> Shape:
    rates, _, duration = argument.partition("@")
    first, last = _from_to(rates, spec, "ramp:10-500")
    if duration:
        length_s = parse_seconds(duration, f"--arrivals {spec}, duration")
    elif run_time_s is None:
        raise InputError(f"--arrivals {spec}: a ramp needs an end. Give --run-time 60s, or write {spec}@60s.")
    else:
        length_s = run_time_s
    return Shape((Piece(0.0, first, (last - first) / length_s), Piece(length_s, last)))


def _steps(argument: str, run_time_s: float | None, spec: str) -> Shape:
    listed, _, duration = argument.partition("@")
    rates = [_rate(text, spec) for text in listed.split(",")]
    if duration:
        length_s = parse_seconds(duration, f"--arrivals {spec}, duration")
    elif run_time_s is None:
        raise InputError(f"--arrivals {spec}: a step needs a length. Write {spec}@10s, or give --run-time.")
    else:
        length_s = run_time_s / len(rates)
    _within_run((len(rates) - 1) * length_s, run_time_s, spec, "the last step")
    return Shape(tuple(Piece(number * length_s, rate) for number, rate in enumerate(rates)))


def _spike(argument: str, run_time_s: float | None, spec: str) -> Shape:
    rates, _, when = argument.partition("@")
    start, _, duration = when.partition("+")
    base, peak = _from_to(rates, spec, "spike:50-500@10s+5s")
    if not start or not duration:
        raise InputError(f"--arrivals {spec}: a spike needs a start and a length, as in spike:50-500@10s+5s.")
    start_s = parse_seconds(start, f"--arrivals {spec}, start")
    _within_run(start_s, run_time_s, spec, "the spike")
    end_s = start_s + parse_seconds(duration, f"--arrivals {spec}, length")
    return Shape((Piece(0.0, base), Piece(start_s, peak), Piece(end_s, base)))


def _replay(argument: str, spec: str) -> Trace:
    name = argument.partition("*")[0]
    if not name.strip():
        raise InputError(
            f"--arrivals {spec}: no file was named. Write replay:calls.csv, or replay:calls.csv*2."
        )
    speed = _speed(argument, spec)
    return read_trace(Path(name.strip())).played(speed)


def _speed(argument: str, spec: str) -> float:
    """How many times as fast: what stands behind the `*`."""
    _, star, factor = argument.partition("*")
    return parse_number(factor if star else "1", f"--arrivals {spec}, speed", "how many times as fast")


def _from_to(text: str, spec: str, example: str) -> tuple[float, float]:
    first, dash, last = text.strip().partition("-")
    if not dash or not first:
        raise InputError(
            f"--arrivals {spec}: found {text!r} for its rates; expected two above 0, as in {example}."
        )
    return _rate(first, spec), _rate(last, spec)


def _rate(text: str, spec: str) -> float:
    place = f"--arrivals {spec}, rate"
    return _checked_rate(parse_number(text, place, "calls a second"), place)


def _checked_rate(rate_per_s: float, place: str) -> float:
    if not SLOWEST_PER_S <= rate_per_s <= FASTEST_PER_S:
        raise InputError(
            f"{place}: found {rate_per_s:g}; expected calls a second, "
            f"from {SLOWEST_PER_S:g} to {FASTEST_PER_S:,.0f}."
        )
    return rate_per_s


def _within_run(start_s: float, run_time_s: float | None, spec: str, what: str) -> None:
    if run_time_s is not None and start_s >= run_time_s:
        raise InputError(
            f"--arrivals {spec}: {what} would start at {say_seconds(start_s)}, and the run ends at "
            f"{say_seconds(run_time_s)}. Lengthen --run-time or shorten the shape."
        )
