"""All places that --scrape names, read at the same time into one reading. Knows greenlets; no run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import gevent

from scorebench.client.target import Target
from scorebench.scrapes.exposed import MOST_SERIES, Exposed, Unreadable
from scorebench.scrapes.place import Place


class Places:
    """Where servers show their metrics. The series of several are told apart by a label, `instance`."""

    def __init__(self, targets: Sequence[Target], ca_file: Path | None = None) -> None:
        self._places = [
            Place(target, ca_file, most_series=MOST_SERIES // len(targets), instance=instance)
            for target, instance in zip(targets, instances(targets), strict=True)
        ]

    def scrape(self) -> Exposed:
        """The series of all. Unreadable where one place can't be read: its old values would pass as new."""
        reads = [gevent.spawn(_read, place) for place in self._places]
        gevent.joinall(reads, raise_error=True)
        together = Exposed()
        for one in (read.value for read in reads):
            if isinstance(one, Unreadable):
                raise one
            together.counters |= one.counters
            together.gauges |= one.gauges
            together.left_out += one.left_out
        return together


def _read(place: Place) -> Exposed | Unreadable:
    try:
        return place.scrape()
    except Unreadable as why:
        return Unreadable(f"{place.shown}: no metrics there: {why}")


def instances(targets: Sequence[Target]) -> list[str | None]:
    """What tells the places apart: host and port, else the URL; None where there is one."""
    if len(targets) == 1:
        return [None]
    alike = Counter(target.netloc for target in targets)
    return [target.netloc if alike[target.netloc] == 1 else target.shown for target in targets]
