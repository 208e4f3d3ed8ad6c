"""The text that a server shows Prometheus → its series, by prometheus-client's parser. Pure; nothing of HTTP.

What a server shows is hostile: lines, series, names and values have bounds, and what is beyond them is left
out.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scorebench.recordings.types import LONGEST_SERIES_NAME

if TYPE_CHECKING:
    from prometheus_client.samples import Sample

MOST_SERIES = 200
MOST_LINES = 20_000
LONGEST_LINE = 4_000
LARGEST = 1e300
"""A larger value is none that a server measured, and its square would be infinite."""


class Unreadable(ValueError):
    """Text that Prometheus could not read, or without one series; the message says what."""


@dataclass
class Exposed:
    """The series of one page by name and labels, as `name{label="value"}`."""

    counters: dict[str, float] = field(default_factory=dict)
    """They only rise until the server starts anew: counters, sums and counts of histograms and summaries."""
    gauges: dict[str, float] = field(default_factory=dict)
    left_out: int = 0
    """Series beyond those that are kept."""


def read(text: str, most: int = MOST_SERIES, instance: str | None = None) -> Exposed:
    """The series of a page, in its order. Buckets, times of creation, NaN and infinity are left out.

    `instance`: becomes a label of each, as Prometheus names the server that it reads.
    """
    found = Exposed()
    for kind, sample in _samples(text):
        value = _number(sample.value)
        if value is None or sample.name.endswith(("_bucket", "_created")):
            continue
        name = _name(sample, instance)
        if len(name) > LONGEST_SERIES_NAME or not name.isprintable():
            continue
        if len(found.counters) + len(found.gauges) >= most:
            found.left_out += 1
        elif kind == "counter" or sample.name.endswith(("_total", "_sum", "_count")):
            found.counters[name] = value
        else:
            found.gauges[name] = value
    if not (found.counters or found.gauges):
        raise Unreadable("there is no series in it that Prometheus could read")
    return found


def _samples(text: str) -> Iterator[tuple[str, Sample]]:
    from prometheus_client.parser import text_fd_to_metric_families

    lines = io.StringIO(text, newline="\n").readlines()[:MOST_LINES]
    kept = "".join(line for line in lines if len(line) <= LONGEST_LINE)
    try:
        for family in text_fd_to_metric_families(io.StringIO(kept)):
            yield from ((family.type, sample) for sample in family.samples)
    except Exception as error:  # it raises whatever an index or a number raises
        raise Unreadable(f"it is not Prometheus text ({error!r:.200})") from None


def _number(value: float) -> float | None:
    try:
        found = float(value)
    except OverflowError:  # the parser reads whole numbers of any length
        return None
    return found if math.isfinite(found) and abs(found) <= LARGEST else None


def _name(sample: Sample, instance: str | None) -> str:
    known = dict(sample.labels)
    if instance is not None:  # a label of this name that the server has itself is renamed, as Prometheus does
        known = {"exported_instance" if name == "instance" else name: of for name, of in known.items()}
        known["instance"] = instance
    labels = ",".join(f'{name}="{value}"' for name, value in sorted(known.items()))
    return f"{sample.name}{{{labels}}}" if labels else sample.name
