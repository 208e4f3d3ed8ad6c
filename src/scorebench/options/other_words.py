"""The names that other load testers use for our options, to suggest ours. Knows names, and no parser.

They are those of wrk, hey, oha, ab, k6, vegeta, curl and common scripts.
"""

from __future__ import annotations

from collections.abc import Collection

_OURS: dict[str, tuple[str, ...]] = {
    "--users": ("-c", "--concurrency", "--connections", "--threads", "--vus", "--clients"),
    "--run-time": ("-d", "-z", "--duration", "--seconds", "--timelimit"),
    "--calls": ("-n", "--requests", "--num-requests", "--count"),
    "--rate": ("-q", "--qps", "--rps", "--request-rate"),
    "--data": ("-d", "--input", "--file", "--csv", "--rows-file"),
    "--body": ("-D", "--body-file", "--payload", "--json"),
    "--rows-per-call": ("--batch", "--batch-size"),
    "--report-dir": ("-o", "--output", "--out"),
    "--header": ("-H", "--headers"),
    "--bearer-env": ("--token", "--bearer", "--api-key"),
    "--ca-file": ("-k", "--insecure", "--cacert"),
    "the URL without an option": ("-H", "--url", "--uri", "--host", "--endpoint", "--target"),
}


def ours(word: str, known: Collection[str]) -> list[str]:
    """Those of the `known` options that another program calls `word`; the URL has no option anywhere."""
    return [name for name, others in _OURS.items() if word in others and (name in known or " " in name)]
