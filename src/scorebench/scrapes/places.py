"""All places that --scrape names, read at the same time into one reading. Knows greenlets; no run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import gevent

from scorebench.client.target import Target
from scorebench.errors import InputError
from scorebench.scrapes.exposed import MOST_SERIES, Exposed, Unreadable
from scorebench.scrapes.place import Place, place_of

MOST_PLACES, LONGEST_URL = 8, 2_000


def places_of(urls: Iterable[str]) -> tuple[Target, ...]:
    """Each place once. InputError for a URL that names none, or for too many."""
    found = tuple(dict.fromkeys(map(place_of, urls)))
    if len(found) > MOST_PLACES:
        raise InputError(
            f"--scrape: {len(found)} URLs; expected at most {MOST_PLACES}: let Prometheus read the others"
        )
    if any(len(target.url) > LONGEST_URL for target in found):
        raise InputError(f"--scrape: a URL of more than {LONGEST_URL:,} characters; expected a shorter one")
    return found


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
