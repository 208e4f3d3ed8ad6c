"""A sweep, cell by cell: servers started and stopped, a folder a run, resumed from what is there.

Knows launching, folders and the clock; nothing of which cell comes next.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.client.hiding import in_urls
from scorebench.client.probe import silence
from scorebench.client.target import Target
from scorebench.errors import InputError
from scorebench.figures.server_use import server_samples
from scorebench.folders.finished import Finished, finished, is_finished
from scorebench.folders.names import SWEEP
from scorebench.folders.sweeps import read_sweep
from scorebench.report.words import count
from scorebench.runs import launch
from scorebench.runs.largest import largest_body
from scorebench.runs.server import running_server
from scorebench.runs.sweep_files import clear
from scorebench.runs.sweep_options import OVERHEAD_S
from scorebench.servers.kinds import KINDS
from scorebench.servers.protocol import ServerFailed
from scorebench.sweeps.found import Ended, Ran, Sweep, SweepCell, is_answered, ran
from scorebench.sweeps.grid import Place, blocks
from scorebench.sweeps.largest import Largest, Of, Tried
from scorebench.units import say_bytes, say_rate, say_seconds
from scorebench.verdicts.finding import Severity

if TYPE_CHECKING:
    from scorebench.runs.request import Request
    from scorebench.runs.sweep_options import Wanted
    from scorebench.servers.protocol import Server

MOST_SILENT = 2
AGAIN = "-again"
"""Ends the name of the folder of a cell's second attempt."""


@dataclass
class Sweeping:
    """Measures the cells of `wanted` into `folder`; `say` hears a line a cell."""

    wanted: Wanted
    folder: Path
    say: Callable[[str], None]
    _runs: dict[tuple[Place, int], Ran] = field(default_factory=dict, init=False)
    _largest: dict[Of, Largest] = field(default_factory=dict, init=False)
    _environment: Mapping[str, Any] = field(default_factory=dict, init=False)
    _began_s: float = field(default=0.0, init=False)
    _slowest_s: float = field(default=0.0, init=False)
    _slowest_start_s: float = field(default=0.0, init=False)
    _slowest_stop_s: float = field(default=0.0, init=False)
    _silent: int = field(default=0, init=False)
    """Runs in a row after which nobody answered."""
    _took_s: list[float] = field(default_factory=list, init=False)

    def measure(self) -> Sweep:
        """Every cell, until the budget is used up or somebody stops it."""
        self._began_s = time.monotonic()
        self._read_what_is_there()
        ended = Ended.DONE
        try:
            for block in blocks(list(self.wanted.requests), self.wanted.repeats, self.wanted.seed):
                todo = [one for one in block if not self._is_done(one)]
                if todo or self._without_largest(block[0][0].server_key):
                    self._block(block[0], todo)
        except _OutOfTime:
            ended = Ended.BUDGET
        except KeyboardInterrupt:
            ended = Ended.STOPPED
        except _Silent as silent:
            ended = Ended.SILENT
            self.say(f"{silent}; the sweep ends here")
        return self._sweep(ended)

    def _sweep(self, ended: Ended) -> Sweep:
        repeats = range(1, self.wanted.repeats + 1)
        cells = tuple(
            SweepCell(place, tuple(self._runs[place, n] for n in repeats if (place, n) in self._runs))
            for place in self.wanted.requests
        )
        spent_s = time.monotonic() - self._began_s
        return Sweep(
            cells,
            ended,
            self.wanted.repeats,
            spent_s,
            str(self.folder),
            dict(self._environment),
            tuple(self._largest.values()),
        )

    def _block(self, one: tuple[Place, int], todo: list[tuple[Place, int]]) -> None:
        """Cells of the server of `one`, started for them; those that are not valid once more at the end."""
        first = self.wanted.requests[one[0]]
        self._check_time(self._slowest_start_s)
        began_s = time.monotonic()
        try:
            with self._server(first, one) as server:
                self._slowest_start_s = max(self._slowest_start_s, time.monotonic() - began_s)
                for cell in todo:
                    self._cell(cell, server)
                for cell in todo:
                    if not self._is_done(cell):
                        self._cell(cell, server)
                self._look_for_the_largest(one[0].server_key, server)
                began_s = time.monotonic()
            self._slowest_stop_s = max(self._slowest_stop_s, time.monotonic() - began_s)
        except _Silent as silent:
            if first.asked.target not in KINDS:
                raise
            self._silent = 0
            self._leave_out(todo, str(silent))
            self.say(f"{silent}; the other cells of this server are left out")
        except (ServerFailed, InputError) as error:
            reason = error.reason if isinstance(error, ServerFailed) else str(error)
            self._leave_out(todo, reason)
            self.say(f"{one[0].server}: {reason}")

    def _leave_out(self, todo: list[tuple[Place, int]], reason: str) -> None:
        for one in todo:
            self._runs.setdefault(one, Ran("", one[1], error=reason))

    def _server(self, request: Request, one: tuple[Place, int]) -> Any:
        if request.asked.target not in KINDS:
            return nullcontext()
        logs = self.folder / "servers" / f"{self._number(one[0]):03d}-{one[1]}"
        logs.mkdir(parents=True, exist_ok=True)
        return running_server(request.asked, logs)

    def _cell(self, one: tuple[Place, int], server: Server | None) -> None:
        place, repeat = one
        self._check_time(0.0)
        request, path = self.wanted.requests[place], self._path(one, again=one in self._runs)
        clear(path)  # of what an interrupted run has left
        path.mkdir(parents=True)
        began_s = time.monotonic()
        url = request.asked.target if server is None else server.endpoint
        signals: list[int] = []
        wanted = request.launch(url, path, show_report=False)
        code = launch.run(wanted, server, on_signal=signals.append)
        if signals:
            shutil.rmtree(path, ignore_errors=True)
            raise KeyboardInterrupt
        took_s = time.monotonic() - began_s
        self._took_s.append(took_s)
        self._slowest_s = max(self._slowest_s, took_s)
        if is_finished(path):
            run = self._ran(finished(path), path, repeat)
            silent = None if run.valid else _silence(request, url)
        else:
            silent = _silence(request, url)
            refused = "the run was refused" if code == 2 else f"the run ended with exit code {code}"
            run = Ran(self._name(path), repeat, error=refused if silent is None else f"no answer: {silent}")
        self._runs[one] = run
        self._tell(place, run)
        self._silent = 0 if silent is None else self._silent + 1
        if self._silent == MOST_SILENT:  # each of the others would wait for it
            raise _Silent(f"{in_urls(url)}: no answer in {MOST_SILENT} runs one after another ({silent})")

    def _without_largest(self, key: tuple[str, str | None, int | None]) -> dict[Of, Place]:
        """What the largest body of this server is still to be looked for with: a cell for each format."""
        if self.wanted.most_bytes is None:
            return {}
        places = [place for place in self.wanted.requests if place.server_key == key]
        found = {Of(*place.server_key, place.format): place for place in reversed(places)}
        return {of: place for of, place in found.items() if of not in self._largest}

    def _look_for_the_largest(self, key: tuple[str, str | None, int | None], server: Server | None) -> None:
        """Once a server and format, after its cells: a body that is too large may end the server."""
        most_bytes = self.wanted.most_bytes
        for of, place in self._without_largest(key).items():
            assert most_bytes is not None
            request = self.wanted.requests[place]
            url = request.asked.target if server is None else server.endpoint

            def on_tried(tried: Tried, of: Of = of) -> None:
                size, outcome = say_bytes(tried.size_bytes), tried.why or "answered"
                self.say(f"{of.words}: a body of {size}, {count(tried.rows, 'row')}: {outcome}")
                if self._spent_s() > self.wanted.budget_s:
                    raise _OutOfTime

            self._largest[of] = largest_body(request.settings, url, of, most_bytes, on_tried)

    def _ran(self, done: Finished, path: Path, repeat: int) -> Ran:
        self._environment = self._environment or done.recording.environment
        invalid = next((f.text for f in done.verdict.findings if f.severity is Severity.INVALID), None)
        samples = server_samples(done.recording)
        return ran(done.summary, folder=self._name(path), repeat=repeat, invalid=invalid, server=samples)

    def _read_what_is_there(self) -> None:
        try:
            if (self.folder / SWEEP).is_file():  # a sweep that was resumed
                self._largest = {one.of: one for one in read_sweep(self.folder).largest}
            self._read_cells()
        except InputError as error:
            raise InputError(f"{error} Remove it, and --resume measures again what it held.") from None

    def _read_cells(self) -> None:
        for place in self.wanted.requests:
            for repeat in range(1, self.wanted.repeats + 1):
                for again in (False, True):
                    path = self._path((place, repeat), again=again)
                    if is_finished(path) and is_answered((done := finished(path)).summary):
                        self._runs[place, repeat] = self._ran(done, path, repeat)

    def _is_done(self, one: tuple[Place, int]) -> bool:
        """Measured, and either valid or tried twice."""
        found = self._runs.get(one)
        return found is not None and (
            found.invalid is None or found.folder.endswith(AGAIN) or not found.folder
        )

    def _check_time(self, start_s: float) -> None:
        """_OutOfTime where another run would not end within the budget."""
        needs_s = start_s + (self._slowest_s or self.wanted.run_s + OVERHEAD_S) + self._slowest_stop_s
        if self._spent_s() + needs_s > self.wanted.budget_s:
            raise _OutOfTime

    def _tell(self, place: Place, run: Ran) -> None:
        total = len(self.wanted.requests) * self.wanted.repeats
        left = total - sum(self._is_done(one) for one in self._runs)
        starts_s = self._starts_left((place, run.repeat)) * (self._slowest_start_s + self._slowest_stop_s)
        left_s = left * sum(self._took_s) / len(self._took_s) + starts_s
        rate = "not measured" if run.throughput_per_s is None else say_rate(run.throughput_per_s)
        outcome = run.error or (f"not valid: {run.invalid}" if run.invalid else rate)
        ends = f"about {say_seconds(left_s)} left" if left else "that was the last"
        budget_s = max(self.wanted.budget_s - self._spent_s(), 0.0)
        self.say(
            f"{total - left} of {total}: {place.words}: {outcome}; {ends}, budget {say_seconds(budget_s)}"
        )

    def _starts_left(self, now: tuple[Place, int]) -> int:
        """How often a server is still to be started, after the one of the cell `now`."""
        every = ((place, n) for place in self.wanted.requests for n in range(1, self.wanted.repeats + 1))
        starts = {(one[0].server_key, one[1]) for one in every if not self._is_done(one)}
        return len(starts - {(now[0].server_key, now[1])})

    def _spent_s(self) -> float:
        return time.monotonic() - self._began_s

    def _number(self, place: Place) -> int:
        return list(self.wanted.requests).index(place) + 1

    def _path(self, one: tuple[Place, int], *, again: bool) -> Path:
        return self.folder / "cells" / f"{self._number(one[0]):03d}-{one[1]}{AGAIN if again else ''}"

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.folder))


def _silence(request: Request, url: str) -> str | None:
    """Why the server gives no answer; None where it does."""
    settings = request.settings
    return silence(Target.parse(url), settings.ca_file, settings.certificate)


class _Silent(Exception):
    """The server no longer answers."""


class _OutOfTime(Exception):
    """Another run would not end within the budget."""
