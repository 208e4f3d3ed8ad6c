"""What --scrape names: URLs → places to read, checked. Knows targets; reads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from scorebench.client.target import Target
from scorebench.errors import InputError

METRICS_PATH = "/metrics"
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


def place_of(url: str) -> Target:
    """The place that `url` names, by default its /metrics. InputError for a user, a password, or no URL."""
    try:
        target = Target.parse(url)
    except InputError as problem:
        raise InputError(f"--scrape {problem}") from None
    if target.names_path:
        return target
    return replace(target, path=METRICS_PATH + (f"?{target.query}" if target.query else ""))
