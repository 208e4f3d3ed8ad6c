"""A search for capacity → its page: the answer in sentences, the knee, every step. Computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scorebench.report import html
from scorebench.report.capacity_charts import capacity_charts
from scorebench.report.sent import opening
from scorebench.report.setup import LOAD, groups
from scorebench.report.words import NOT_MEASURED, count, plain
from scorebench.units import say_rate, say_seconds
from scorebench.verdicts.limits import parse_limit

OF_A_STEP = {*LOAD, "load"}
"""How the first step offered its load: the search decides that for each step anew."""


def render(report: str, record: Mapping[str, Any]) -> str:
    """The page of capacity.json; `report` is capacity.txt, whose first lines are the answer."""
    environment = record["environment"]
    headline, *why = (plain(line) for line in report.split("\n\n", maxsplit=1)[0].splitlines())
    return html.render(
        "capacity",
        title=plain(f"Capacity of {environment.get('url') or 'a server'}"),
        opening=opening(environment),
        kind="good" if record["held"] else "bad",
        headline=headline,
        why=why,
        limits=[plain(text) for text in record["limits"]],
        charts=capacity_charts(record),
        head=["Step", "Load", "Sent", "Valid", "Service mean", *map(plain, record["limits"]), "Says"],
        rows=[_row(step, record["limits"]) for step in record["steps"]],
        setup=groups(_of_the_search(record)),
        command=plain(str(environment.get("command") or "not recorded")),
    )


def _of_the_search(record: Mapping[str, Any]) -> dict[str, Any]:
    """What all steps had in common: the environment of the first, with the search's options for its load."""
    common = {name: value for name, value in record["environment"].items() if name not in OF_A_STEP}
    began_s = record["environment"].get("started_s")
    return common | {
        "started_s": began_s,
        "limits": record["limits"],
        "budget_s": record["budget_s"],
        "spent_s": record["spent_s"],
        "steps": len(record["steps"]),
        "longest_step_s": max((step["duration_s"] for step in record["steps"]), default=None),
    }


def _row(step: Mapping[str, Any], limits: list[str]) -> list[str]:
    rate, service_s = step["rate_per_s"], step["mean_service_s"]
    return [
        str(step["number"]),
        count(step["users"], "user") if rate is None else say_rate(rate),
        say_rate(step["sent_per_s"]),
        say_rate(step["throughput_per_s"]),
        NOT_MEASURED if service_s is None else say_seconds(service_s),
        *(_figure(step["figures"].get(text), text) for text in limits),
        _says(step),
    ]


def _figure(value: float | None, limit: str) -> str:
    metric = parse_limit(limit, place="recorded limit").of
    return NOT_MEASURED if value is None else metric.say(value)


def _says(step: Mapping[str, Any]) -> str:
    if step["invalid"]:
        return plain(f"not valid: {step['invalid']}")
    return {None: "part of the ladder", True: "held", False: "did not hold"}[step["held"]]
