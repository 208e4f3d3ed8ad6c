"""A long run with short tokens: how many calls came with a token that was good, and how many tokens it took.

A local HTTPS service issues OAuth tokens, lets calls in by them, and logs each with its own clock. It is the
long form of `test_tokens_of_two_seconds_carry_a_run_of_twelve` in tests/test_signed_in.py.

    python bench/signed_in.py --minutes 15 --lifetime 60
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a script: `tests` is found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.commands import Done, run_within
from tests.gateway import Gateway, Tokens, gateway, scores
from tests.scoring_server import certificates

CLIENT, SECRET = "client-1", "a-secret-of-the-bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one row of Markdown; 1 where a call came without a good token."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--lifetime", type=float, default=60.0, help="seconds that a token is good (60)")
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second (10)")
    options = parser.parse_args(arguments)
    tokens = Tokens(CLIENT, SECRET, lifetime_s=options.lifetime)
    with tempfile.TemporaryDirectory() as folder:
        papers = certificates(Path(folder))
        routes = {"/token": tokens.issue, "/score": tokens.guard(scores)}
        with gateway(papers.server, routes) as server:
            done = _run(server, papers.ca, options, Path(folder))
            return _tell(server, tokens, done, options)


def _run(server: Gateway, ca_file: Path, options: argparse.Namespace, folder: Path) -> Done:
    asked = f"token-url={server.url}/token,client-id={CLIENT},client-secret-env=SECRET"
    length_s = options.minutes * 60
    words = ["--oauth", asked, "--ca-file", str(ca_file), "--users", "2", "--rate", f"{options.rate:g}"]
    command = [sys.executable, "-m", "scorebench", "run", f"{server.url}/score", *words]
    return run_within(
        length_s + 120, [*command, "--run-time", f"{length_s:.0f}s"], folder, {"SECRET": SECRET}
    )


def _tell(server: Gateway, tokens: Tokens, done: Done, options: argparse.Namespace) -> int:
    calls = server.asked("/score")
    good = sum(tokens.admits(call) for call in calls)
    statuses = dict(Counter(server.answers))
    print("| run | tokens of | calls | with a good token | tokens issued | statuses | outcomes |")
    print("| --- | --- | ---: | ---: | ---: | --- | --- |")
    print(
        f"| {options.minutes:g} min | {options.lifetime:g} s | {len(calls):,} | {good:,} | "
        f"{len(tokens.issued)} | {json.dumps(statuses)} | {json.dumps(done.summary['outcomes'])} |"
    )
    return int(good < len(calls) or not calls or bool(tokens.faults))


if __name__ == "__main__":
    sys.exit(main())
