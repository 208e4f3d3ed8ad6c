"""The rules about a server's workers and their cores. Pure: knows figures; no report, no file."""

from __future__ import annotations

from collections.abc import Iterator

from scorebench.advice.record import Advice, Facts
from scorebench.figures.server_use import mean_cpu, process_samples, server_samples
from scorebench.units import say_percent

BUSY, FREE_CORES, IDLE = 0.9, 0.5, 0.5
MANY_CORES, ALL_CORES = 1.5, 0.8
UNEVEN, FEWEST_CALLS = 1.5, 100
THREADS = "OMP_NUM_THREADS"


def with_workers(facts: Facts, workers: int) -> str:
    """The command that measures the same with so many workers."""
    return facts.with_server("--workers", f"{workers}", f"--workers {workers}")


def more_workers(facts: Facts) -> Iterator[Advice]:
    """All are busy, and the machine is not."""
    used, workers, cores = mean_cpu(server_samples(facts.recording)), facts.workers, facts.cores
    if used is None or workers is None or cores is None:
        return
    share = used / workers
    if BUSY <= share < MANY_CORES and cores - used >= FREE_CORES:
        more = workers + 1
        yield Advice(
            "more_workers",
            f"each of {workers} workers is busy {say_percent(round(share, 2))} of the time, and "
            f"{cores - used:.1f} of {cores} cores are free",
            f"serve with --workers {more}",
            f"up to {more / workers:.2g} times the throughput, if it scales",
            with_workers(facts, more),
        )


def fewer_workers(facts: Facts) -> Iterator[Advice]:
    """They could do the same work with one less, which would free its memory."""
    used, workers = mean_cpu(server_samples(facts.recording)), facts.workers
    if used is None or workers is None or workers < 2 or used > IDLE * (workers - 1):
        return
    sizes = [one["rss_bytes"] for of in process_samples(facts.recording).values() for one in of[-1:]]
    known = sorted(size for size in sizes if size is not None)
    if len(known) < workers:
        return
    yield Advice(
        "fewer_workers",
        f"{workers} workers use {used:.2f} cores together: one fewer would be busy "
        f"{say_percent(round(used / (workers - 1), 2))}",
        f"serve with --workers {workers - 1}",
        f"about {known[-workers] / 1e6:,.0f} MB of memory",
        with_workers(facts, workers - 1),
    )


def uneven_workers(facts: Facts) -> Iterator[Advice]:
    """One worker has most of the connections, which it keeps, while others have few."""
    calls = {} if facts.summary.stages is None else facts.summary.stages.workers
    counted, workers, users = sum(calls.values()), facts.workers, len(facts.summary.users)
    if workers is None or not 1 < workers <= users or counted < FEWEST_CALLS:
        return
    most = max(calls.values())
    share = most / counted * workers
    if share >= UNEVEN:
        more = max(2 * users, 8 * workers)
        yield Advice(
            "uneven_workers",
            f"one of {workers} workers served {most:,} of {counted:,} calls, {share:.2g} times "
            "its share: a connection stays with the worker that accepts it, and one may accept most of them",
            "open many more connections than workers, one after the other, or put a load balancer in front",
            f"up to {share:.2g} times the throughput, where the busy worker was the limit",
            facts.again({"--users": f"{more}", "--spawn-rate": f"{workers}"}),
        )


def blas_threads(facts: Facts) -> Iterator[Advice]:
    """Threads of a numerical library compete for the cores."""
    used, workers, cores = mean_cpu(server_samples(facts.recording)), facts.workers, facts.cores
    if used is None or workers is None or cores is None or cores < 2:
        return
    variables = facts.server.get("environment")
    is_set = isinstance(variables, dict) and any(name.endswith("NUM_THREADS") for name in variables)
    if not is_set and used >= MANY_CORES * workers and used >= ALL_CORES * cores:
        yield Advice(
            "blas_threads",
            f"{workers} worker{'s' if workers > 1 else ''} used {used:.1f} of {cores} cores, and no "
            f"{THREADS} is set: threads of BLAS or OpenMP compete",
            f"set {THREADS}=1",
            "not known before it is measured; where small calls compete, often several times",
            facts.with_server("--server-env", f"{THREADS}=1", f"{THREADS}=1"),
        )
