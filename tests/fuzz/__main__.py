"""Fuzz the readers: `python -m tests.fuzz [--minutes N] [--only NAME] [FILE …]`. Knows Atheris and processes.

Each target runs in a process of its own, two at a time, for its share of the minutes. Atheris (libFuzzer for
Python) watches which code an input reaches and goes on from the inputs that reach more. It starts from
`corpora/NAME` and keeps them in `.fuzz/NAME`. With files, each is tried once, as after a failure.

Exit 1 where an input broke a promise; its file is named. Make it a test, then mend the reader.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPORA = Path(__file__).parent / "corpora"
KEPT = ROOT / ".fuzz"
FOUND = KEPT / "found"
MOST_BYTES = 4_096
"""Longer inputs take longer, and reach what shorter ones reach."""
MOST_MEMORY_MB = 2_000
MOST_S = 20
"""An input that takes longer has broken a promise: bounds come before work."""


@dataclass(frozen=True)
class Outcome:
    """What came of a target; `inputs` is None where its process ended before it could tell."""

    name: str
    inputs: int | None
    broke: Path | None
    log: Path


def main() -> int:
    """0; 1 where a promise was broken, or where a target did not run."""
    options = parse()
    names = options.only or all_names()
    if options.files:
        return _try_each(names, options.files)
    each_s = max(int(options.minutes * 60 * options.at_once / len(names)), 1)
    print(f"{len(names)} targets, {each_s} s each, {options.at_once} at a time", flush=True)
    with ThreadPoolExecutor(options.at_once) as pool:
        outcomes = []
        for outcome in pool.map(lambda name: fuzz(name, each_s), names):
            print(line(outcome), flush=True)
            outcomes.append(outcome)
    print(f"{sum(one.inputs or 0 for one in outcomes):,} inputs")
    return int(any(one.broke or not one.inputs for one in outcomes))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="for all targets together (10)")
    parser.add_argument("--at-once", type=int, default=2, help="targets at the same time (2)")
    parser.add_argument("--only", action="append", choices=all_names(), metavar="NAME", help="this target")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="inputs to try once")
    return parser.parse_args()


def all_names() -> list[str]:
    """The targets: each has a folder of examples (tests/test_fuzz.py holds the two alike)."""
    return sorted(folder.name for folder in CORPORA.iterdir())


def line(outcome: Outcome) -> str:
    """One target's result."""
    if outcome.broke:
        return f"{outcome.name:14} BROKEN by {_below(outcome.broke)}; see {_below(outcome.log)}"
    if not outcome.inputs:
        return f"{outcome.name:14} did not run; see {_below(outcome.log)}"
    return f"{outcome.name:14} {outcome.inputs:>12,} inputs"


def _below(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def fuzz(name: str, seconds: int) -> Outcome:
    """Run one target for that long, in a process of its own."""
    kept = KEPT / name
    kept.mkdir(parents=True, exist_ok=True)
    log = KEPT / f"{name}.log"
    FOUND.mkdir(exist_ok=True)
    before = set(FOUND.iterdir())
    limits = (
        f"-max_total_time={seconds}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={MOST_S}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        f"-artifact_prefix={FOUND / name}-",
        "-print_final_stats=1",
    )
    with log.open("wb") as opened:
        subprocess.run(
            [sys.executable, "-m", "tests.fuzz.one", name, *limits, kept, CORPORA / name],
            cwd=ROOT,
            stdout=opened,
            stderr=subprocess.STDOUT,
            check=False,
        )
    told = re.search(rb"number_of_executed_units: (\d+)", log.read_bytes())
    new = sorted(one for one in set(FOUND.iterdir()) - before if one.name.startswith(f"{name}-"))
    return Outcome(name, int(told[1]) if told else None, new[0] if new else None, log)


def _try_each(names: list[str], files: list[Path]) -> int:
    from tests.fuzz.targets import TARGETS

    for file in files:
        for name in names:
            print(f"{name}: {file}", flush=True)
            TARGETS[name](file.read_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
