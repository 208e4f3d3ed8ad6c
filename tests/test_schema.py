"""The reader of our schemas, held to what JSON Schema's own validator says."""

from __future__ import annotations

import copy
import importlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import LABELS
from scorebench.figures.summary import FORMAT as SUMMARY_FORMAT
from scorebench.folders import schema
from scorebench.recordings.recording import FORMAT
from tests.recordings import calls, evenly, recording

jsonschema = importlib.import_module("jsonschema")
RECORDING = schema.load("recording")
VALUES: list[Any] = [None, True, -1, 0, 1, 2.5, 10**30, 1e300, "", "x", [], [1], [[1]], {}, {"a": 1}]


def example() -> dict[str, Any]:
    """A recording as it stands in a file, every part filled."""
    made = recording(
        calls(evenly(30, rate_per_s=10), outcome=[0] * 29 + [1]), arrivals="constant", versions={"a": "1"}
    )
    made.never_sent, made.examples = {"because": 1}, {"rejected": "HTTP 400"}
    made.resources.append({"t_s": 1.0, "who": "generator", "cpu": None, "rss_bytes": 5})
    made.events.append({"t_s": 1.0, "what": "server restarted"})
    data: dict[str, Any] = json.loads(json.dumps(made.to_dict()))
    return data


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


@pytest.mark.parametrize("name", ["recording", "summary"])
def test_the_schemas_are_schemas(name: str) -> None:
    """Each keeps to draft 2020-12, and each of its properties says what it is or refers to what does."""
    loaded = schema.load(name)
    jsonschema.Draft202012Validator.check_schema(loaded)
    assert loaded["description"]


@given(st.sampled_from(PATHS), st.sampled_from(VALUES))
def test_it_agrees_with_the_validator_everybody_has(path: tuple[Any, ...], value: Any) -> None:
    """With any value in any place, both take the recording or both refuse it."""
    data = changed(path, copy.deepcopy(value))
    theirs = jsonschema.Draft202012Validator(RECORDING).is_valid(data)
    assert (schema.first_fault(data, RECORDING) is None) == theirs


def test_a_fault_names_place_found_and_expected() -> None:
    """One line is enough to find the place in the file."""
    fault = schema.first_fault(changed(("measured", "users", 0, 2), -5), RECORDING)
    assert fault == "$.measured.users[0][2]: found -5; expected minimum 0"


def test_what_is_missing_is_named() -> None:
    """Of what is required only that which is not there."""
    data = example()
    del data["measured"]["late"]
    assert schema.first_fault(data, RECORDING) == "$.measured: found no late; expected it"


def test_the_worst_of_many_numbers_is_found() -> None:
    """In a list of whole numbers, of which only the extremes are looked at."""
    data = changed(("measured", "seconds", 0, 5, 0), [1, 2, -7, 3])
    assert (
        schema.first_fault(data, RECORDING) == "$.measured.seconds[0][5][0][2]: found -7; expected minimum 0"
    )


@pytest.mark.parametrize("value", [1.0, True, float("nan"), float("inf"), "1"])
def test_whole_numbers_are_whole_numbers(value: object) -> None:
    """A float, a truth value, NaN and infinity are not counts."""
    assert schema.first_fault(value, {"type": "integer"})
    assert schema.first_fault(float("nan"), {"type": "number"})


def test_a_keyword_that_is_not_known_is_no_silence() -> None:
    """A schema that asks for more than is checked must fail its author."""
    with pytest.raises(KeyError, match="pattern"):
        schema.first_fault("x", {"type": "string", "pattern": "y"})


def test_the_schemas_know_every_outcome_and_the_formats() -> None:
    """A new outcome or a new format that the schema does not hold would make files that can't be read."""
    assert set(RECORDING["$defs"]["outcomes"]["propertyNames"]["enum"]) == set(LABELS.values())
    assert RECORDING["properties"]["format"]["const"] == FORMAT
    assert schema.load("summary")["properties"]["format"]["const"] == SUMMARY_FORMAT
