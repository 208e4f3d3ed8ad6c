"""scorebench beside its peers: calls a second of one core against a server that costs next to nothing.

nginx answers from memory, pinned to one core; each generator in turn is pinned to another and sends the same
one-row body. They take turns, and each round begins with another one, so that a slow minute slows all.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # run as a script: `bench` is found from the repository's root
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil

from bench.generator import Figures, Generator, Task, at_least_one, version
from bench.peers import GENERATORS
from bench.processes import Ended, Failed, cores, run
from bench.stub import Stub, stub
from bench.tables import Run, as_data, as_markdown, as_text, cells, lines

Found = dict[str, tuple[Generator, str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 if a generator broke, failed calls or miscounted them; 2 for wrong input; 130 for Ctrl-C."""
    options = parse(arguments)
    try:
        found = find(options.only)
        if options.json:
            options.json.touch()  # better refused now than after the measuring
        wanted = len(found)
        runs = measure(found, options)
    except (Failed, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    show(runs, found, options)
    return int(len(found) < wanted or any(not one.is_sound() for one in runs))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="generators.py", description=__doc__)
    names = ", ".join(generator.name for generator in GENERATORS)
    parser.add_argument("--rounds", type=at_least_one, default=5, help="runs of each generator (5)")
    parser.add_argument("--seconds", type=at_least_one, default=4, help="whole seconds a run (4)")
    parser.add_argument("--connections", type=at_least_one, default=16, help="kept-alive connections (16)")
    parser.add_argument("--only", help=f"some of: {names}")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=Path, help="write every run and the machine to this file")
    return parser.parse_args(arguments)


def find(only: str | None) -> Found:
    """The generators to measure and their programs; what is missing is named and left out.

    Raises Failed for an unknown name, or where none is there.
    """
    known = {generator.name: generator for generator in GENERATORS}
    wanted = only.split(",") if only else [name for name, one in known.items() if not one.asked_for]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise Failed(f"--only: {', '.join(unknown)} is not known; known are {', '.join(known)}")
    programs = {name: known[name].find() for name in wanted}
    for name in [name for name, program in programs.items() if program is None]:
        print(f"{name}: not found, left out", file=sys.stderr)
    found = {name: (known[name], program) for name, program in programs.items() if program}
    if not found:
        raise Failed("no generator found: install one, or leave out --only")
    return found


def measure(found: Found, options: argparse.Namespace) -> list[Run]:
    """All rounds. A generator that breaks is named and left out: half its rounds would look like all."""
    generator_core, server_core = cores()
    runs: list[Run] = []
    with stub(server_core) as server:
        for number in range(1, options.rounds + 1):
            for generator, program in _turn(list(found.values()), number):
                try:
                    figures = one_run(generator, program, Setting(server, generator_core, number, options))
                except Failed as error:
                    print(f"{error}; left out", file=sys.stderr)
                    del found[generator.name]
                    continue
                runs.append(figures)
                rate_per_s = figures.figures.rate_per_s
                print(
                    f"round {number}/{options.rounds} {generator.name}: {rate_per_s:,.0f}/s", file=sys.stderr
                )
    return [run for run in runs if run.generator in found]


def _turn(generators: list[tuple[Generator, str]], number: int) -> list[tuple[Generator, str]]:
    first = number % max(1, len(generators))
    return generators[first:] + generators[:first]


@dataclass(frozen=True)
class Setting:
    """What the generators of one round have in common."""

    server: Stub
    core: int
    round: int
    options: argparse.Namespace


def one_run(generator: Generator, program: str, setting: Setting) -> Run:
    """One generator, once: its own figures, the server's count, and who used the machine."""
    server, options = setting.server, setting.options
    with tempfile.TemporaryDirectory(prefix="scorebench-bench-") as folder:
        task = Task(server.url, options.connections, options.seconds, Path(folder))
        task.write()
        calls, server_cpu_s, busy_s = server.requests(), server.cpu_s(), _busy_s()
        ended = run(
            generator.command(program, task), task.folder, setting.core, task.seconds, generator.codes
        )
        busy_s, server_cpu_s = _busy_s() - busy_s, server.cpu_s() - server_cpu_s
        return Run(
            generator=generator.name,
            round=setting.round,
            figures=_read(generator, ended, task),
            connections=options.connections,
            server_calls=server.requests() - calls,
            generator_cores=ended.cpu_s / ended.wall_s,
            server_cores=server_cpu_s / task.seconds,
            others_cores=max(0.0, busy_s - server_cpu_s - ended.cpu_s) / ended.wall_s,
        )


def _read(generator: Generator, ended: Ended, task: Task) -> Figures:
    try:
        return generator.read(ended, task)
    except (LookupError, ValueError, OSError) as error:
        said = (ended.stdout + ended.stderr).strip()[-300:]
        raise Failed(f"{generator.name}: its figures can't be read: {error!r}; it said: {said!r}") from error


def _busy_s() -> float:
    """The time that all cores have worked for processes, or were taken by the host, since the start."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "steal", 0.0))


def show(runs: list[Run], found: Found, options: argparse.Namespace) -> None:
    """The table, what it was measured on, and every doubt."""
    table = lines(runs)
    grids = {name: generator.grid_s for name, (generator, _) in found.items() if generator.grid_s}
    rows = cells(table, grids)
    told = machine(found, options)
    print(as_markdown(rows) if options.markdown else as_text(rows))
    print()
    print("; ".join(f"{name} {value}" for name, value in told.items() if value is not None))
    for doubt in [doubt for one in runs for doubt in one.doubts()]:
        print(doubt, file=sys.stderr)
    if options.json:
        data = {"format": 1, "machine": told} | as_data(runs, table)
        options.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def machine(found: Found, options: argparse.Namespace) -> dict[str, object]:
    """What a reader needs to weigh the figures; no name of a host."""
    told: dict[str, object] = {
        "rounds": options.rounds,
        "seconds": options.seconds,
        "connections": options.connections,
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "Linux": platform.release(),
        "Python": platform.python_version(),
    }
    return told | {name: version(generator, program) for name, (generator, program) in found.items()}


def _processor() -> str | None:
    with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), None)


if __name__ == "__main__":
    sys.exit(main())
