"""The schema files: made from the types that files are read by, and held to everybody's validator."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from bench.schemas import FORMS, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scorebench.answers.outcome import BY_LABEL, FORMER
from scorebench.errors import InputError
from scorebench.folders import folder
from tests.recordings import calls, data_of, evenly, recording
from tests.schemas import schema, validator

VALUES: list[Any] = [None, True, -1, 0, 1, 2.5, 10**30, 1e300, "", "x", [], [1], [[1]], {}, {"a": 1}]


def example() -> dict[str, Any]:
    """A recording as it stands in a file, every part filled."""
    made = recording(
        calls(evenly(30, rate_per_s=10), outcome=[0] * 29 + [1]), arrivals="constant", versions={"a": "1"}
    )
    made.never_sent, made.examples = {"because": 1}, {"rejected": "HTTP 400"}
    made.resources.append({"t_s": 1.0, "who": "generator", "cpu": None, "rss_bytes": 5})
    made.events.append({"t_s": 1.0, "what": "server restarted"})
    return data_of(made)


def paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where each value stands; of a list the first three."""
    inner = data.items() if isinstance(data, dict) else enumerate(data[:3]) if isinstance(data, list) else ()
    return [path, *(found for key, value in inner for found in paths(value, (*path, key)))]


PATHS = [path for path in paths(example()) if path]


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The example with another value at one place."""
    data = example()
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


def test_changed_changes_one_place() -> None:
    """The helper that damages a recording damages it, and only there."""
    data = changed(("measured", "rows"), "x")
    assert data["measured"].pop("rows") == "x"
    whole = example()
    del whole["measured"]["rows"]
    assert data == whole


@pytest.mark.parametrize("name", FORMS)
def test_the_schema_files_are_current(name: str) -> None:
    """`make schemas` would change nothing."""
    file = Path(__file__).parents[1] / "src" / "scorebench" / "schemas" / f"{name}.schema.json"
    assert file.read_text(encoding="utf-8") == text(name)


@pytest.mark.parametrize("name", FORMS)
def test_the_schemas_are_schemas(name: str) -> None:
    """Each keeps to draft 2020-12, says what it is, and forbids fields that it does not name."""
    validator(name).check_schema(schema(name))
    assert schema(name)["description"]
    assert schema(name)["additionalProperties"] is False


def test_the_schema_knows_every_outcome() -> None:
    """By their labels, as names of counts; those of earlier versions too."""
    known = schema("recording")["properties"]["examples"]["propertyNames"]["enum"]
    assert known == [*BY_LABEL, *FORMER]


BEYOND_A_SCHEMA = ("found counts", "durations", "a week at most", "buckets")
"""In the refusals of what no schema says: counts that don't decode or differ, seconds too far apart."""


def read(tmp_path: Path, data: Any) -> str | None:
    """Why the file is refused; None where it is read."""
    file = tmp_path / "recording.json"
    file.write_text(json.dumps(data))
    try:
        folder.read(file)
    except InputError as error:
        return str(error).removeprefix(f"{file}: ")
    return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
@given(st.sampled_from(PATHS), st.sampled_from(VALUES))
def test_what_is_read_keeps_to_the_schema(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    """With any value in any place: what the schema's validator refuses is refused, what it takes is read."""
    data = changed(path, copy.deepcopy(value))
    why = read(tmp_path, data)
    if validator("recording").is_valid(data):
        assert why is None or any(reason in why for reason in BEYOND_A_SCHEMA)
    else:
        assert why is not None


FAULTS: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "a number in a row": (
        ("measured", "users", 0, 2),
        -5,
        "$.measured.users[0][2]: found -5; expected int >= 0",
    ),
    "one in a list in a row": (
        ("measured", "seconds", 0, 5, 0),
        [1, 2, -7, 3],
        "$.measured.seconds[0][5][0][2]: found -7; expected int >= 0",
    ),
    "a row that is too short": (
        ("measured", "users", 0),
        [1],
        "$.measured.users[0]: found [1]; expected array of length 7",
    ),
    "text": (("reconnects",), "many", '$.reconnects: found "many"; expected int'),
    "a truth value": (("changed",), True, "$.changed: found true; expected int"),
    "a value by a name": (("never_sent",), {"a": -1}, '$.never_sent[...]: found {"a":-1}; expected int >= 0'),
    "a name": (("examples",), {"good": "x"}, "$.examples: found another name; expected str matching regex"),
    "a known fact": (("environment", "users"), "x", '$.environment.users: found "x"; expected int | null'),
    "a sample's number": (
        ("resources", 0, "rss_bytes"),
        0.5,
        "$.resources[0].rss_bytes: found 0.5; expected int | null",
    ),
    "another field": (("colour",), 1, "$: object contains unknown field colour"),
}


@pytest.mark.parametrize("case", FAULTS.values(), ids=FAULTS)
def test_a_fault_names_place_found_and_expected(
    tmp_path: Path, case: tuple[tuple[Any, ...], Any, str]
) -> None:
    """One line is enough to find the place in the file."""
    path, value, expected = case
    assert (read(tmp_path, changed(path, value)) or "").startswith(f"is damaged: {expected}")


@pytest.mark.parametrize("path", [("events",), ("measured", "late"), ("resources", 0, "cpu")])
def test_what_is_missing_is_named(tmp_path: Path, path: tuple[Any, ...]) -> None:
    """Each field that every recording holds; what came later may be absent."""
    data = example()
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    assert f"object missing required field {path[-1]}" in (read(tmp_path, data) or "")


def test_what_came_later_may_be_absent(tmp_path: Path) -> None:
    """Recordings of before `due` was counted have none."""
    data = example()
    del data["due"]
    assert read(tmp_path, data) is None
