"""The table of metrics: what a user can name a figure by, one record each. Knows figures; no limit, no run.

Limits, `--stop-when`, `--fail-if`, `compare`, `capacity`, repeats, MLflow, CSV, JSON and the docs read a
metric only here. To add one, add a record to TABLE; `figures.metric` explains its fields.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from scorebench.figures.metric import (
    BYTES_PER_S,
    CALLS_PER_S,
    CHUNKS_PER_S,
    ROWS_PER_S,
    SECONDS,
    SHARE,
    TOKENS_PER_S,
    Family,
    Figures,
    Metric,
    Single,
    Unit,
)
from scorebench.figures.percentiles import QUANTILES
from scorebench.figures.rates import NEEDS as RATE_NEEDS
from scorebench.figures.streams import NO_STREAMS
from scorebench.figures.times import Times

_TIMED = {
    "response": "from due to done",
    "service": "from sent to done",
    "lag": "the generator sent late",
    "first_chunk": "from sent to the first chunk of a stream",
    "chunk_gap": "from one chunk of a stream to the next",
}
"""The durations that can be timed, and what each means."""
_OF_STREAMS = ("first_chunk", "chunk_gap")
_WAITS: dict[str, Callable[[Figures], Times]] = {
    "response": lambda figures: figures.response_waits,
    "service": lambda figures: figures.service_waits,
}
"""Those that a call without an answer has waited for: it takes as long at least."""
_KEYS = {"response": "response_time_s", "service": "service_time_s"}
_COMPARED = {"mean", "p50", "p90", "p95", "p99", "p99.9", "service_mean", "service_p50", "service_p99"}
_AVERAGED = {"mean", "p50", "p90", "p95", "p99"}
_REPEATED = {"p50", "p99"}


def _time(found: re.Match[str]) -> Metric:
    of, what = found["of"] or "response", found["what"]
    name = what if of == "response" else f"{of}_{what}"
    q = None if found["percent"] is None else _share(name, found["percent"])

    def times(figures: Figures) -> Times:
        taken: Times = getattr(figures if of not in _OF_STREAMS else figures.streams or NO_STREAMS, of)
        return taken

    waits = _WAITS.get(of)

    def last(figures: Figures) -> float | None:
        ended = times(figures)
        so_far = [ended] if waits is None else [ended, ended.joined(waits(figures))]
        seen = [one.figure(what) if q is None else one.at(q) for one in so_far]
        return max((value for value in seen if value is not None), default=None)

    return Metric(
        name=name,
        unit=SECONDS,
        best=0.0,
        example="50ms",
        says=f"{what} of the seconds {_TIMED[of]}",
        of=lambda figures: times(figures).figure(what, q),
        of_last_seconds=last,
        column=f"{of}_{what}",
        key=f"{_KEYS.get(of, f'{of}_s')}/{what}",
        q=q,
        times=times,
        waits=waits,
        with_waits=_with_waits(what, q),
        is_compared=name in _COMPARED,
        is_averaged=name in _AVERAGED,
        is_repeated=name in _REPEATED,
        of_streams=of in _OF_STREAMS,
        of_schedule=of == "lag",
        counted="gap" if of == "chunk_gap" else "call",
    )


def _with_waits(what: str, q: float | None) -> Callable[[Times, Times], float | None]:
    """A call takes as long as it has waited, or longer, and so does each figure of all calls."""
    if q is not None:
        return lambda times, waits: times.at_least(q, waits)
    return lambda times, waits: times.joined(waits).figure(what)


def _per_second_of_streams(name: str, unit: Unit, figure: str, says: str) -> Single:
    def of_streams(figures: Figures) -> float | None:
        per_s: float | None = getattr(figures.streams or NO_STREAMS, figure)
        return per_s

    return Single(
        Metric(
            name=name,
            unit=unit,
            best=math.inf,
            example=f"100{next(iter(unit.factors))}",
            says=says,
            of=of_streams,
            of_last_seconds=of_streams,
            support=RATE_NEEDS,
            key=figure,
            is_floor=True,
            of_streams=True,
        )
    )


def _share(name: str, percent: str) -> float:
    """`99.9` → 0.999, exact to the digit that was written."""
    share = float(Decimal(percent) / 100)
    if not 0 < share < 1:
        raise UnknownMetric(
            f"metric {name!r} is not a percentile; expected one such as p99; the highest value is max"
        )
    return share


class UnknownMetric(LookupError):
    """No metric has that name; the message lists the known ones."""


TABLE: list[Single | Family] = [
    Single(
        Metric(
            name="throughput",
            unit=CALLS_PER_S,
            best=math.inf,
            example="100/s",
            says="valid answers a second",
            of=lambda figures: figures.throughput_per_s,
            of_last_seconds=lambda figures: figures.throughput_per_s,
            support=RATE_NEEDS,
            key="throughput_per_s",
            is_compared=True,
            is_repeated=True,
            is_floor=True,
        )
    ),
    Single(
        Metric(
            name="rows",
            unit=ROWS_PER_S,
            best=math.inf,
            example="100/s",
            says="rows in valid answers, a second",
            of=lambda figures: figures.rows_per_s,
            of_last_seconds=lambda figures: figures.rows_per_s,
            support=RATE_NEEDS,
            key="rows_per_s",
            is_compared=True,
            is_floor=True,
        )
    ),
    Single(
        Metric(
            name="valid",
            unit=SHARE,
            best=1.0,
            example="99.9%",
            says="share of the calls that had a valid answer; calls in flight at the end are left out",
            of=lambda figures: figures.valid_share,
            of_last_seconds=lambda figures: figures.valid_share,
            column="valid_share",
            key="valid_share",
            is_compared=True,
            is_repeated=True,
            allows_failures=True,
        )
    ),
    Single(
        Metric(
            name="changed",
            unit=SHARE,
            best=0.0,
            example="1%",
            says="share of the valid answers that differed from the first to the same payload",
            of=lambda figures: figures.changed_share,
            of_last_seconds=lambda figures: figures.changed_share,
            column="changed_share",
            key="changed_share",
        )
    ),
    Family(
        words=f"{', '.join(QUANTILES)} or any other percentile, mean, min and max, "
        "each also as service_p99, lag_p99, first_chunk_p99 or chunk_gap_p99",
        says="time from due to done of the valid calls; `service_`: from sent to done; "
        "`lag_`, with `--rate` or `--arrivals`: how late the generator sent a call that a free user waited "
        "for; `first_chunk_`: from sent to the first chunk of a stream; `chunk_gap_`: between two chunks",
        unit=SECONDS,
        pattern=re.compile(
            rf"(?:(?P<of>{'|'.join(_TIMED)})_)?(?P<what>mean|min|max|p(?P<percent>\d+(?:\.\d+)?))"
        ),
        make=_time,
        listed=tuple(f"{of}_{what}" for of in _TIMED for what in ("mean", "min", *QUANTILES, "max")),
    ),
    _per_second_of_streams(
        "chunks", CHUNKS_PER_S, "chunks_per_s", "chunks of valid streams, a second (`--stream`)"
    ),
    _per_second_of_streams(
        "stream_bytes", BYTES_PER_S, "stream_bytes_per_s", "bytes of valid streams, a second (`--stream`)"
    ),
    _per_second_of_streams(
        "output_tokens",
        TOKENS_PER_S,
        "output_tokens_per_s",
        "tokens that the server says it made, a second, if each valid stream tells them (`--stream`)",
    ),
]
"""Every metric, in the order in which reports show them."""


def find(name: str) -> Metric:
    """The metric of that name; UnknownMetric lists the known names."""
    for entry in TABLE:
        if (found := entry.named(name)) is not None:
            return found
    raise UnknownMetric(f"metric {name!r} is not known. Known are {known()}")


def every() -> list[Metric]:
    """The metrics in every output, in the order of the table."""
    return [metric for entry in TABLE for metric in entry.members()]


def known() -> str:
    """All names, for an error message."""
    return "; ".join(entry.words for entry in TABLE)
