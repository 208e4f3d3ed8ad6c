"""Runs other people's locustfiles, with us and without. Knows Locust's files, our report and a server's log.

Each file in tests/strangers runs three times: as it is, with the import as its first line, and as its last.
In each run the server's log, Locust's own counts and ours must agree; over the runs, the exit code.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tests.commands import ROOT, TIMEOUT_S, Done
from tests.scoring_server import Behaviour, End, Reply, ScoringServer, scoring_server

STRANGERS = Path(__file__).with_name("strangers")
IMPORT = "import scorebench.plugin\n"
OK = Reply(body=b'{"ok": true}')
SERVER = Behaviour(
    on_path={
        "/a": OK,
        "/b": OK,
        "/slow": replace(OK, cut=0),
        "/takes": replace(OK, service_s=0.2),
        "/half": replace(OK, cut=-3),
        "/closed": replace(OK, cut=0, end=End.CLOSE),
        "/reset": replace(OK, cut=0, end=End.RESET),
    }
)
WORDS = ("-r", "10", "-t", "3s", "-s", "3")
"""A run of three seconds, whose users may finish their task: no call is cut off."""
Name = tuple[str, str]
"""A request's method and name."""


@dataclass(frozen=True)
class Ran:
    """One run of a locustfile, and what the server saw of it."""

    done: Done
    folder: Path
    paths: Counter[str]
    """The server's log: calls by path."""

    @property
    def locust(self) -> Counter[Name]:
        """Locust's own count of requests, from its JSON file."""
        entries = json.loads((self.folder / "stats.json").read_text())
        return Counter({(entry["method"], entry["name"]): entry["num_requests"] for entry in entries})

    @property
    def ours(self) -> Counter[Name]:
        """What our report counts, by request."""
        entries = self.done.summary["requests"]
        return Counter({(entry["method"], entry["name"]): entry["calls"] for entry in entries})

    @property
    def findings(self) -> dict[str, str]:
        """The report's findings, by their kind."""
        return {one["code"]: one["text"] for one in self.done.summary["verdict"]["findings"]}

    def printed(self, word: str) -> str | None:
        """The rest of the line that the locustfile itself printed after `word`."""
        found = re.search(rf"^{word} (.*)$", self.done.out, re.MULTILINE)
        return found and found.group(1)


@dataclass(frozen=True)
class Compared:
    """The same locustfile without us, and with us: the import its first line, and its last."""

    without: Ran
    first: Ran
    last: Ran

    @property
    def ours(self) -> tuple[Ran, Ran]:
        return self.first, self.last


def run(folder: Path, source: str, words: tuple[str, ...], variables: dict[str, str], host: bool) -> Ran:
    """Run one locustfile under Locust, in a folder of its own, against a server of its own."""
    folder.mkdir()
    (folder / "locustfile.py").write_text(source)
    with scoring_server(SERVER) as server:
        command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "--json-file", "stats"]
        command += ["-H", server.url] if host else []
        return ran(folder, [*command, *words], server, variables)


def ran(folder: Path, command: list[str], server: ScoringServer, variables: dict[str, str]) -> Ran:
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    done = Done(ended.returncode, ended.stdout, ended.stderr, folder / "reports")
    return Ran(done, folder, Counter(record.path for record in server.log()))


_RUNS: dict[tuple[object, ...], Compared] = {}
"""What `compare` has run: tests that ask for the same runs read the same ones."""


def compare(tmp_path: Path, name: str, *words: str, host: bool = True, **variables: str) -> Compared:
    """Run the locustfile `name` in its three ways, at the same time."""
    key = (name, words, host, *sorted(variables.items()))
    if key not in _RUNS:
        source = (STRANGERS / f"{name}.py").read_text()
        ways = {"without": source, "first": IMPORT + source, "last": source + IMPORT}
        with ThreadPoolExecutor(len(ways)) as threads:
            started = [
                threads.submit(run, tmp_path / way, text, words, variables, host)
                for way, text in ways.items()
            ]
            _RUNS[key] = Compared(*(one.result() for one in started))
    return _RUNS[key]


def agree(compared: Compared, *, more: Counter[Name] | None = None) -> None:
    """Each run's counts are one; all runs ended alike, and none with a fault of ours.

    `more` are calls that only ours counts. Without it they may be those whose user Locust stopped while they
    ran: it never hears of them, and ours are cut off.
    """
    without = compared.without
    for one in compared.ours:
        assert not one.locust - one.ours, one.done.err
        only_ours = one.ours - one.locust
        if more is None:
            assert sum(only_ours.values()) <= one.done.summary["outcomes"].get("cut off", 0), one.done.err
        else:
            assert only_ours == more, one.done.err
        assert one.done.ends_with(without.done.code), one.done.err
        assert one.done.summary["accounting"]["adds_up"]
        assert tracebacks(one) == tracebacks(without), one.done.err
        assert sum(one.ours.values()) == one.done.summary["calls"]


def tracebacks(one: Ran) -> bool:
    return "Traceback" in one.done.err
