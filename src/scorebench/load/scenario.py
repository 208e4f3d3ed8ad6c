"""Scenarios with the meaning that MLPerf's LoadGen gives them → users, arrivals and rows a call. Pure.

Source: MLPerf inference rules, section "Scenarios" (single-stream, multi-stream, server, offline).
"""

from __future__ import annotations

from dataclasses import dataclass

from scorebench.errors import InputError

MULTI_STREAM_ROWS = 8
"""The default rows a call of multi-stream: LoadGen's samples per query."""
NO_SCENARIO = "none"
"""What the start form's list says where no scenario is chosen."""
ALL_ROWS = None
"""Rows a call: every row of the data in one body."""


@dataclass(frozen=True)
class Scenario:
    """`users` is the default number of users; `alone`: only one user is possible."""

    name: str
    what: str
    users: int
    alone: bool = False
    open_loop: bool = False


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("single-stream", "one call of one row at a time", users=1, alone=True),
        Scenario("multi-stream", "one call of several rows at a time", users=1, alone=True),
        Scenario("server", "calls that arrive as a Poisson process", users=64, open_loop=True),
        Scenario("offline", "all rows in a call, as fast as they are answered", users=1),
    )
}


def named(_flag: str, name: str | None) -> str | None:
    """The name of a scenario, which may be unknown; None where none is chosen."""
    return None if name == NO_SCENARIO else name


@dataclass(frozen=True)
class Chosen:
    """What a scenario makes of the options."""

    arrivals: str | None
    rows_per_call: int | None


def default_users(name: str | None, otherwise: int) -> int:
    """Users where none are given. An unknown name is refused later, by `choose`."""
    scenario = SCENARIOS.get(name or "")
    return otherwise if scenario is None else scenario.users


def choose(
    name: str, *, users: int | None, rate: float | None, arrivals: str | None, rows_per_call: int
) -> Chosen:
    """InputError for options that contradict the scenario; `rows_per_call` 1 is the default, no wish."""
    scenario = SCENARIOS.get(name)
    place = f"--scenario {name}"
    if scenario is None:
        raise InputError(f"{place}: not known; expected one of {', '.join(SCENARIOS)}")
    if scenario.alone and users not in (None, 1):
        raise InputError(f"{place}: {scenario.what}, so by one user; found {users}. Leave --users out.")
    if not scenario.open_loop and (rate is not None or arrivals is not None):
        asked = "--rate" if rate is not None else "--arrivals"
        raise InputError(f"{place}: {scenario.what}, so there is no {asked}; leave it out, or the scenario.")
    if scenario.open_loop and rate is None:
        raise InputError(f"{place}: {scenario.what}, and needs a rate, such as --rate 100.")
    if scenario.open_loop and arrivals not in (None, "poisson"):
        raise InputError(f"{place}: {scenario.what}; found --arrivals {arrivals}. Leave it out.")
    if name == "single-stream" and rows_per_call != 1:
        raise InputError(
            f"{place}: {scenario.what}; found --rows-per-call {rows_per_call}. Use --scenario multi-stream."
        )
    rows = {"multi-stream": MULTI_STREAM_ROWS, "offline": ALL_ROWS}
    return Chosen(
        arrivals="poisson" if scenario.open_loop else None,
        rows_per_call=rows.get(name, 1) if rows_per_call == 1 else rows_per_call,
    )
