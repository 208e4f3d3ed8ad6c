"""What a load generator is asked to do and says it did. Knows programs and the one-row body; no generator."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.processes import Ended

ROW = {
    "fixed acidity": 7.0,
    "volatile acidity": 0.27,
    "citric acid": 0.36,
    "residual sugar": 20.7,
    "chlorides": 0.045,
    "free sulfur dioxide": 45.0,
    "total sulfur dioxide": 170.0,
    "density": 1.001,
    "pH": 3.0,
    "sulphates": 0.45,
    "alcohol": 8.8,
}


@dataclass(frozen=True)
class Task:
    """What a generator is to do, and the empty folder that it may write to."""

    server: str  # without a path
    connections: int
    seconds: float
    folder: Path

    @property
    def url(self) -> str:
        return f"{self.server}/invocations"

    @property
    def body(self) -> Path:
        return self.folder / "body.json"

    @property
    def data(self) -> Path:
        return self.folder / "row.csv"

    def write(self) -> None:
        """The one row, as the body that goes over the wire and as a table for what encodes by itself."""
        split = {"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}}
        self.body.write_text(json.dumps(split), encoding="utf-8")
        with self.data.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(ROW), list(ROW.values())])


@dataclass(frozen=True)
class Figures:
    """What a generator says of its run; None where it does not say it."""

    calls: int
    rate_per_s: float
    failed: int
    p50_s: float | None
    p99_s: float | None


@dataclass(frozen=True)
class Generator:
    """One load generator. `grid_s` is the step of its percentiles where that is coarse."""

    name: str
    find: Callable[[], str | None]
    command: Callable[[str, Task], list[str]]
    read: Callable[[Ended, Task], Figures]
    version: tuple[str, ...] = ()
    grid_s: float | None = None
    codes: tuple[int, ...] = (0,)
    asked_for: bool = False
    """Measured only where --only names it."""


def on_path(name: str) -> Callable[[], str | None]:
    """Looks on the PATH and where `go install` and `cargo install` put programs."""
    go = os.environ.get("GOBIN") or f"{os.environ.get('GOPATH') or Path.home() / 'go'}/bin"
    cargo = f"{os.environ.get('CARGO_HOME') or Path.home() / '.cargo'}/bin"
    return lambda: shutil.which(name) or shutil.which(name, path=f"{go}{os.pathsep}{cargo}")


def at_least_one(text: str) -> int:
    """For argparse: a whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def version(generator: Generator, program: str) -> str | None:
    """The generator's own word on its version; None for one that has none."""
    if not generator.version:
        return None
    done = subprocess.run(
        [program, *generator.version], capture_output=True, text=True, check=False, timeout=30
    )
    found = re.search(r"\d+\.\d+[\w.+-]*", done.stdout + done.stderr)
    return found.group() if found else None
