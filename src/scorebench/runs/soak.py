"""Runs the parts of a soak, one after the other, into one folder. Knows folders and runs; judges nothing.

A part is a run of its own: what it counted is on the disk at its end, and every few seconds before, so that
neither hours nor a reboot of this machine cost more than a part's memory, or a few seconds.
"""

from __future__ import annotations

import json
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from scorebench.errors import InputError
from scorebench.folders import atomic, folder
from scorebench.folders.fresh import run_folder
from scorebench.folders.names import PAGE, SOAK, SOAK_CSV, SOAK_PLAN, SOAK_TEXT
from scorebench.folders.soaks import Plan, part_folder, part_folders, read_plan, read_soak
from scorebench.recordings.types import LONGEST_RUN_S
from scorebench.runs import launch
from scorebench.runs.request import Request, command_of
from scorebench.servers.kinds import KINDS
from scorebench.servers.protocol import Server
from scorebench.soaks.found import Ended, Soak, ended_early
from scorebench.units import parse_seconds, say_length
from scorebench.verdicts.verdict import ExitCode

ENDS_BY_COUNT = ("calls", "iterations")


@dataclass(frozen=True)
class Soaking:
    """A soak that was asked for, checked; nothing is started yet."""

    request: Request
    plan: Plan
    resume: Path | None

    @classmethod
    def of(cls, options: Namespace) -> Soaking:
        """InputError for everything that can be checked before anything is started."""
        if options.run_time is None:
            raise InputError("--run-time: expected how long to soak, such as 8h")
        for name in ENDS_BY_COUNT:
            if getattr(options, name) is not None:
                raise InputError(f"--{name}: a soak ends by --run-time; leave it out")
        run_time_s, part_s = (_whole(name, getattr(options, name)) for name in ("run_time", "part"))
        if run_time_s > LONGEST_RUN_S:
            raise InputError(f"--run-time {options.run_time}: expected a week at most, such as 7d")
        part_s = min(part_s, run_time_s)
        options.run_time = f"{part_s:.0f}s"  # what is checked, such as a warm-up, is a part's
        request = Request.of(options, command_of(_without_resume(options.words)))
        return cls(request, Plan(run_time_s, part_s, request.command), options.resume)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A new folder, or that to resume. InputError if that holds another soak."""
        if self.resume is not None:
            path = self.resume.resolve()
            there = read_plan(path)
            if there != self.plan:
                raise InputError(
                    f"--resume {self.resume}: was another soak. Give the same words again; it was started "
                    f"with {there.command}"
                )
            yield path
            return
        settings, target = self.request.settings, self.request.asked.target
        name = target if target in KINDS else settings.target.host
        with run_folder(settings.report_dir, f"{name}-soak") as path:
            text = json.dumps(msgspec.to_builtins(self.plan), indent=1)
            atomic.write_text(path / SOAK_PLAN, f"{text}\n")
            yield path

    def measure(self, path: Path, say: Callable[[str], None]) -> Soak:
        """Run parts until the whole time was measured, one ended early, or a signal came."""
        soak = read_soak(path)
        with self.request.bring_up(path) as server:
            while soak.left_s:
                number = 1 + max((int(one.name) for one in part_folders(path)), default=0)
                length_s = min(soak.left_s, int(self.plan.part_s))
                say(
                    f"part {number}: {say_length(length_s)}, after {say_length(soak.load_s)} of "
                    f"{say_length(soak.asked_s)}"
                )
                was_stopped = self._part(part_folder(path, number), length_s, server)
                soak = read_soak(path)
                if was_stopped or ended_early(soak.parts[-1]):
                    break
        return soak

    def _part(self, path: Path, length_s: int, server: Server | None) -> bool:
        """Whether a signal ended it."""
        path.mkdir(parents=True)
        url = self.request.asked.target if server is None else server.endpoint
        wanted = replace(self.request.launch(url, path, show_report=False), run_time=f"{length_s}s")
        signals: list[int] = []
        code = launch.run(wanted, server, on_signal=signals.append)
        if code == 2 and not folder.is_started(path):
            shutil.rmtree(path, ignore_errors=True)
            raise Refused("the run was refused, and its own line says why")
        return bool(signals)


class Refused(InputError):
    """A part sent nothing: its own line on stderr says why."""


def _whole(name: str, text: str) -> float:
    flag = f"--{name.replace('_', '-')}"
    seconds = parse_seconds(text, flag)
    if seconds != int(seconds):
        raise InputError(f"{flag} {text}: expected whole seconds, such as 600s")
    return seconds


def _without_resume(words: list[str]) -> list[str]:
    kept, skip = [], False
    for word in words:
        if skip or word.startswith("--resume="):
            skip = False
        elif word == "--resume":
            skip = True
        else:
            kept.append(word)
    return kept


def exit_code(soak: Soak) -> int:
    """As a run's, for all parts together; 130 where it was stopped and nothing else is wrong."""
    codes = {part.exit_code for part in soak.parts}
    if ExitCode.CALLS_FAILED in codes:
        return int(ExitCode.CALLS_FAILED)
    if ExitCode.LIMIT_MISSED in codes or soak.rises():
        return int(ExitCode.LIMIT_MISSED)
    if ExitCode.NOT_VALID in codes or soak.ended is Ended.EARLY:
        return int(ExitCode.NOT_VALID)
    return 130 if soak.ended is Ended.STOPPED else int(ExitCode.GOOD)


def leave(soak: Soak, path: Path) -> str | None:
    """Write the soak in all its forms; a line on what could not be written."""
    from scorebench.report import soak as report
    from scorebench.report import soak_page

    files = [
        (SOAK, lambda: report.render_json(soak)),
        (SOAK_CSV, lambda: report.render_csv(soak)),
        (SOAK_TEXT, lambda: report.render(soak)),
        (PAGE, lambda: soak_page.render(soak)),
    ]
    return atomic.loss(path, atomic.write_what_fits(path, files))
