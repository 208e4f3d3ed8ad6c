"""What a run was measured with → tables in a reader's words. Knows names and units; decides nothing.

What is not known is left out: an empty line says nothing about a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scorebench.report.words import plain, say_moment
from scorebench.units import say_rate, say_seconds

MOMENTS = ("started_s", "stopped_s", "load_ended_s")
"""Unix times, shown as a date."""
ELSEWHERE = ("command",)
"""Shown on its own, below the tables."""
LOAD = (
    *(
        "users",
        "arrivals",
        "offered_rate_per_s",
        "arrivals_note",
        "scenario",
        "seed",
        "run_time_s",
        "warm_up_s",
    ),
    *("limits", "stop_when", "budget_s", "spent_s", "steps", "longest_step_s", *MOMENTS),
)
MACHINE = ("host", "system", "host_cores", "processor", "generator_cpus", "server_cpus", "shared_cores")
GROUPS = {"payload": "What was sent", "server": "Server", "versions": "Versions"}
"""Entries that are groups by themselves, by their titles."""
OF_THE_SERVER = ("url", "model")
"""Recorded beside the server's own entries, and shown with them."""
WORDS = {
    "url": "address",
    "bodies": "different bodies",
    "digest": "SHA-256 of the bodies",
    "valid if": "an answer is valid if",
    "generator cpus": "the generator's cores",
    "server cpus": "the server's cores",
    "shared cores": "server and generator share cores",
    "host cores": "cores",
    "system": "operating system",
    "load ended": "the load ended",
    "offered rate": "calls due",
    "budget": "time for the search",
    "spent": "time it took",
    "longest step": "the longest step was asked to last",
    "source: kind": "the rows come from",
    "source: name": "named",
    "source: signature of": "cast by the signature of",
    "source: columns": "the first columns",
    "source: column count": "columns in all",
}
"""Where the name alone does not say what it is."""


@dataclass(frozen=True)
class Group:
    """A table of the setup: [what, value] in each row."""

    title: str
    rows: Sequence[Sequence[str]]


def groups(environment: Mapping[str, Any]) -> list[Group]:
    """The tables that have a row: load, what was sent, server, machine, versions, and the rest."""
    of_group = [(title, _rows(_entries(environment, name))) for name, title in GROUPS.items()]
    named = {*LOAD, *MACHINE, *GROUPS, *ELSEWHERE, *OF_THE_SERVER}
    rest = {name: value for name, value in environment.items() if name not in named}
    found = [
        ("Load", _rows({name: environment.get(name) for name in LOAD})),
        *of_group[:2],
        ("Generator's machine", _rows({name: environment.get(name) for name in MACHINE})),
        *of_group[2:],
        ("Other", _rows(rest)),
    ]
    return [Group(title, rows) for title, rows in found if rows]


def _entries(environment: Mapping[str, Any], name: str) -> object:
    """A group's entries. The server's address and model are recorded beside its group, and come first."""
    entries = environment.get(name)
    if name != "server" or not isinstance(entries, Mapping | None):
        return entries
    return {key: environment.get(key) for key in OF_THE_SERVER} | dict(entries or {})


def _rows(entries: object) -> list[list[str]]:
    return [list(row) for row in _flat(entries)] if isinstance(entries, Mapping) else []


def _flat(entries: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """(what, value) of each entry that is known; a nested one is `outer: inner`, unless WORDS has it."""
    for key, value in entries.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{_words(str(key))}: ")
        elif value is not None and value != []:
            name = f"{before}{_words(str(key))}"
            yield plain(WORDS.get(name, name)), plain(_value(str(key), value))


def _words(key: str) -> str:
    """`time_to_ready_s` → `time to ready`; variables and columns, which have capitals, stay as they are."""
    if key != key.lower():
        return key
    name = key.removesuffix("_per_s").removesuffix("_bytes").removesuffix("_s").replace("_", " ")
    return WORDS.get(name, name)


def _value(key: str, value: object) -> str:
    if key in MOMENTS:
        return say_moment(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(key, value)
    if isinstance(value, list | tuple) and all(isinstance(one, str | int) for one in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)


def _number(key: str, value: float) -> str:
    if key.endswith("_per_s"):
        return say_rate(value)
    if key.endswith("_s"):
        return say_seconds(value)
    unit = " bytes" if key == "bytes" or key.endswith("_bytes") else ""
    return f"{value:,}{unit}" if isinstance(value, int) else f"{value:.6g}{unit}"
