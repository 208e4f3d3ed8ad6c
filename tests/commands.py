"""Runs the project's commands as a user would, in a folder of their own, and gives back what they left."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_S = 90
BUSY_MACHINE = {"generator_stalled", "generator_busy", "generator_cpu", "generator_lag"}
"""Findings about a generator that other processes of the machine kept waiting."""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str
    reports: Path

    @property
    def folders(self) -> list[Path]:
        """The run folders that it left, oldest first."""
        found = self.reports.glob("*/recording.json") if self.reports.exists() else ()
        return sorted(path.parent for path in found if not path.parent.is_symlink())

    @property
    def summary(self) -> dict[str, Any]:
        """summary.json of the only run that it left."""
        assert self.folders, self.err
        (folder,) = self.folders
        parsed: dict[str, Any] = json.loads((folder / "summary.json").read_text())
        return parsed

    def ends_with(self, code: int | None) -> bool:
        """Whether the command exited with `code`, or with 4 for no other reason than a busy machine."""
        if self.code != 4:
            return self.code == code
        summaries = [json.loads((folder / "summary.json").read_text()) for folder in self.folders]
        findings = [one for summary in summaries for one in summary["verdict"]["findings"]]
        found = {one["code"] for one in findings if one["severity"] == "invalid"}
        return code == 4 or (bool(found) and found <= BUSY_MACHINE)


def run(command: list[str], folder: Path, **variables: str) -> Done:
    """Run `command` in `folder` for a minute and a half at most; reports go to `folder`/reports."""
    return run_within(TIMEOUT_S, command, folder, variables)


def run_within(
    timeout_s: float, command: list[str], folder: Path, variables: Mapping[str, str] | None = None
) -> Done:
    """Run `command` in `folder`; reports go to `folder`/reports."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | dict(variables or {}),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Done(ended.returncode, ended.stdout, ended.stderr, folder / "reports")


def scorebench(folder: Path, *words: str, **variables: str) -> Done:
    """`scorebench WORDS` in `folder`."""
    return run([sys.executable, "-m", "scorebench", *words], folder, **variables)


def here(folder: Path, *words: str) -> Done:
    """`scorebench WORDS` in `folder`, in this process: for what is refused, and what only reads and prints.

    It takes a twentieth of the time. A command that starts Locust needs `scorebench`: output of another
    process would be missed.
    """
    from scorebench.cli import main

    out, err = io.BytesIO(), io.BytesIO()
    with (
        chdir(folder),
        redirect_stdout(io.TextIOWrapper(out, "utf-8", write_through=True)),
        redirect_stderr(io.TextIOWrapper(err, "utf-8", write_through=True)),
    ):
        try:
            code = main(words)
        except SystemExit as ended:  # argparse's
            code = int(ended.code or 0)
        return Done(code, out.getvalue().decode(), err.getvalue().decode(), folder / "reports")


def locust(folder: Path, *words: str, locustfile: Path = ROOT / "locustfile.py") -> Done:
    """`locust --headless WORDS` in `folder`, with this project's locustfile."""
    return run([sys.executable, "-m", "locust", "--headless", "-f", str(locustfile), *words], folder)


def script(folder: Path, name: str, *words: str) -> Done:
    """`python -u NAME WORDS` for one of the scripts at the top of the project."""
    return run([sys.executable, "-u", str(ROOT / name), *words], folder)
