"""What makes an answer valid can be said: by the body's own kind, or by --expect."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import jsonpath_rfc9535
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.answer import Judge, describe
from scorebench.answers.http_message import Answer
from scorebench.answers.json_path import AT_ONCE, JsonPath
from scorebench.answers.outcome import Group, Outcome
from scorebench.answers.readings import READINGS, expected
from scorebench.errors import InputError

CHAT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
CALLS = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
TENSOR = {"name": "out", "shape": [2, 1], "datatype": "FP64", "data": [1.5, 2.5]}


def judged(expect: str, body: Any, rows: int = 2) -> Outcome:
    """The outcome of a 200 with this body (JSON, unless it is bytes) to a call with that many rows."""
    wanted = expected(expect)
    judge = Judge(wanted.counts((rows,)), wanted.reading)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge.judge(0, Answer(200, "application/json", raw))


@pytest.mark.parametrize(
    ("expect", "body"),
    [
        # what pyfunc models answer that say one thing of all rows, or several of each
        ("any", {"predictions": 5.5}),
        ("any", {"predictions": [1, 2, 3, 4, 5, 6, 7]}),
        ("any", {"predictions": {"mean": [1, 2], "std": [3]}}),
        ("any", 5.5),
        ("any", "a text"),
        ("any", {"label": "spam", "score": 0.9}),
        ("12", {"predictions": list(range(12))}),
        ("1", {"predictions": 5.5}),
        ("rows", {"predictions": [1, 2]}),
        ("$.choices[0].message", CHAT),
        ("$..score", {"results": [{"score": 0}]}),
        # OpenAI's API reference: a chat completion, also one that calls a tool or refuses
        ("chat", CHAT),
        ("chat", {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": CALLS}}]}),
        ("chat", {"choices": [{"message": {"role": "assistant", "content": None, "refusal": "No."}}]}),
        ("chat", {"choices": [{"message": {"role": "assistant", "content": ""}}], "usage": {}}),
        # mlflow.types.agent.ChatAgentResponse
        ("chat", {"messages": [{"role": "assistant", "content": "Hi", "id": "1"}]}),
        ("completion", {"choices": [{"text": "once upon a time"}]}),
        ("responses", {"output": [ITEM], "status": "completed", "error": None}),
        ("responses", {"output": [ITEM], "status": "incomplete"}),
        ("embeddings", {"data": [{"embedding": [0.1]}, {"embedding": [0.2]}]}),
        ("embeddings", {"output": [ITEM]}),
        # the Open Inference Protocol: flat or as the shape has it
        ("v2", {"outputs": [TENSOR]}),
        ("v2", {"outputs": [{**TENSOR, "data": [[1.5], [2]]}]}),
        ("v2", {"model_name": "m", "outputs": [TENSOR, {**TENSOR, "datatype": "BYTES", "data": ["a", "b"]}]}),
        ("v2", {"outputs": [{"name": "o", "shape": [2, 0], "datatype": "FP32", "data": []}]}),
        ("text", b"42 is the answer"),
        ("text", b"{not json}"),
    ],
)  # fmt: skip
def test_a_valid_answer(expect: str, body: Any) -> None:
    """It is what was expected."""
    assert judged(expect, body) is Outcome.VALID


@pytest.mark.parametrize(
    ("expect", "body", "outcome"),
    [
        ("any", {"predictions": []}, Outcome.WRONG_COUNT),
        ("any", {}, Outcome.WRONG_COUNT),
        ("any", "", Outcome.WRONG_COUNT),
        ("any", {"predictions": None}, Outcome.NULL_PREDICTION),
        ("any", {"error": "boom"}, Outcome.ERROR_INSIDE),
        ("any", {"predictions": {"error": "boom"}}, Outcome.ERROR_INSIDE),
        ("any", b"NaN", Outcome.NAN_PREDICTION),
        ("any", b'{"predictions": NaN}', Outcome.NAN_PREDICTION),
        ("any", b"1e999", Outcome.OUT_OF_RANGE),
        ("any", b'{"predictions": ' + b"9" * 400 + b"}", Outcome.OUT_OF_RANGE),
        ("any", b"<html></html>", Outcome.NOT_PARSEABLE),
        ("any", b"", Outcome.NOT_PARSEABLE),
        ("12", {"predictions": [1, 2]}, Outcome.WRONG_COUNT),
        ("12", {"predictions": 5.5}, Outcome.WRONG_COUNT),
        ("rows", {"predictions": 5.5}, Outcome.NOT_PARSEABLE),
        ("rows", CHAT, Outcome.NOT_PARSEABLE),
        ("$.choices[0].message", {"choices": []}, Outcome.NOT_PARSEABLE),
        ("$.choices[0].message", {"choices": [{"message": None}]}, Outcome.NOT_PARSEABLE),
        ("$.error", {"error": {"message": "boom"}}, Outcome.ERROR_INSIDE),
        ("$.a", b'{"a": NaN}', Outcome.NAN_PREDICTION),
        ("chat", {"choices": []}, Outcome.NOT_PARSEABLE),
        ("chat", {"choices": [{"message": {"role": "assistant", "content": None}}]}, Outcome.NOT_PARSEABLE),
        ("chat", {"choices": [{"text": "a completion"}]}, Outcome.NOT_PARSEABLE),
        ("chat", {"choices": [{"error": {"code": 5}}]}, Outcome.ERROR_INSIDE),
        ("chat", {"messages": []}, Outcome.NOT_PARSEABLE),
        ("chat", ["Hi"], Outcome.NOT_PARSEABLE),
        ("chat", {"error": {"message": "no key"}}, Outcome.ERROR_INSIDE),
        ("completion", {"choices": [{"text": None}]}, Outcome.NOT_PARSEABLE),
        ("responses", {"output": []}, Outcome.NOT_PARSEABLE),
        ("responses", {"output": [{"text": "no type"}]}, Outcome.NOT_PARSEABLE),
        ("responses", {"output": [ITEM], "status": "failed"}, Outcome.ERROR_INSIDE),
        ("responses", {"output": [], "error": {"message": "boom"}}, Outcome.ERROR_INSIDE),
        ("embeddings", {"data": [{"embedding": [0.1]}]}, Outcome.WRONG_COUNT),
        ("embeddings", {"data": [{"embedding": []}, {"embedding": [1]}]}, Outcome.NOT_PARSEABLE),
        ("v2", {"outputs": []}, Outcome.WRONG_COUNT),
        ("v2", {"outputs": [{**TENSOR, "shape": [3, 1]}]}, Outcome.WRONG_COUNT),
        ("v2", {"outputs": [{**TENSOR, "shape": [1, 2]}]}, Outcome.WRONG_COUNT),
        ("v2", {"outputs": [{**TENSOR, "shape": [-2, -1]}]}, Outcome.NOT_PARSEABLE),
        ("v2", {"outputs": [{**TENSOR, "datatype": "DOUBLE"}]}, Outcome.NOT_PARSEABLE),
        ("v2", {"outputs": [{**TENSOR, "data": ["a", "b"]}]}, Outcome.NOT_PARSEABLE),
        ("v2", {"outputs": [{**TENSOR, "data": [1.5, None]}]}, Outcome.NULL_PREDICTION),
        ("v2", {"outputs": [{**TENSOR, "data": [1.5, float("nan")]}]}, Outcome.NAN_PREDICTION),
        ("v2", {"outputs": [TENSOR], "error": "boom"}, Outcome.ERROR_INSIDE),
        ("v2", {"error": "no such model"}, Outcome.ERROR_INSIDE),
        ("v2", {"predictions": [1, 2]}, Outcome.NOT_PARSEABLE),
        ("text", b"  \n", Outcome.NOT_PARSEABLE),
        ("text", b"\xff\xfe", Outcome.NOT_PARSEABLE),
        ("text", b"<!DOCTYPE html><html></html>", Outcome.NOT_PARSEABLE),
        ("text", b'{"error": "boom"}', Outcome.ERROR_INSIDE),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_what_was_expected(expect: str, body: Any, outcome: Outcome) -> None:
    """By the reason why not; in doubt it is not valid."""
    assert judged(expect, body) is outcome


@given(st.sampled_from([*READINGS, "3", "$.a", "$..a"]), st.binary(max_size=60))
def test_no_body_breaks_a_reading(expect: str, body: bytes) -> None:
    """Whatever a 200 holds has an outcome that counts as valid or invalid."""
    assert judged(expect, body).group in (Group.VALID, Group.INVALID)


@pytest.mark.parametrize("expect", [*READINGS, "3", "$.a", "$..a"])
@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b"[" * 900 + b"]" * 900])
def test_deep_json_breaks_no_reading(expect: str, body: bytes) -> None:
    """A hostile server nests without end."""
    assert judged(expect, body).group in (Group.VALID, Group.INVALID)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("some", "--expect some: not known; expected one of rows, any, chat"),
        ("0", "--expect 0: not known"),
        ("-1", "--expect -1: not known"),
        ("1.5", "--expect 1.5: not known"),
        ("$.[", r"--expect \$\.\[: not a JSONPath"),
        ("$.a[?match(", "not a JSONPath"),
    ],
)
def test_what_nobody_can_expect_is_refused(text: str, complaint: str) -> None:
    """One line that says what can be expected."""
    with pytest.raises(InputError, match=complaint) as raised:
        expected(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<!DOCTYPE html><title>\n Sign &amp; in </title>", "a web page titled 'Sign & in'; is the URL"),
        (b"\n<html><body>Hi</body>", "a web page: \n<html>"),
    ],
)  # fmt: skip
def test_a_web_page_is_named(body: bytes, shown: str) -> None:
    """A URL that is a page and no endpoint: the example says what it looks like, and asks for the URL."""
    assert f"200, {shown}" in describe(Answer(200, "text/html; charset=utf-8", body))
    assert "is the URL" not in describe(Answer(502, "text/html", body))


PATHS = (
    "$.a",
    "$..a",
    "$..[0]",
    "$[*].a",
    "$[1:].b",
    "$.a.b",
    "$..*",
    "$[?@.a]",
    "$..[?@.b > 1].a",
    "$[?@..a]",
    "$[?count(@..a) > 1]",
    "$[?!@.a || $.b == @.b]",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=20,
)


@given(st.sampled_from(PATHS), VALUES)
def test_a_path_finds_what_the_library_finds(path: str, value: Any) -> None:
    """Going through a value step by step changes nothing: RFC 9535 by an independent walk."""
    found = any(node.value is not None for node in jsonpath_rfc9535.compile(path).find(value))
    assert JsonPath(path).finds(value, lambda: None) == found


@pytest.mark.parametrize(
    "path", ["$..z", "$[*].z", "$[*][*].z", "$[::2].z", "$[?@.z]", "$[?@..z]", "$..[?@.z == 1]"]
)
@pytest.mark.parametrize("value", [[{"b": 1}] * 50_000, [[{"b": 1}] * 50_000], {"a": [[1] * 50_000]}])
def test_a_path_that_finds_nothing_keeps_nobody_waiting(path: str, value: Any) -> None:
    """Of 50,000 values no more than the steps between two pauses are looked at in one go."""
    looked = Looked()
    assert not JsonPath(path).finds(looked.at(value), looked.pause)
    assert looked.most <= 3 * AT_ONCE  # a value is counted once, and looked at by a selector or two


class Looked:
    """Counts how many elements are taken out of lists between two pauses."""

    def __init__(self) -> None:
        self.most = self._now = 0

    def pause(self) -> None:
        self._now = 0

    def at(self, value: Any) -> Any:
        """The same value, with lists that tell."""
        if isinstance(value, dict):
            return {key: self.at(one) for key, one in value.items()}
        return Telling(map(self.at, value), self) if isinstance(value, list) else value

    def take(self) -> None:
        self._now += 1
        self.most = max(self.most, self._now)


class Telling(list[Any]):
    """A list that tells of each element that is taken."""

    def __init__(self, values: Iterable[Any], looked: Looked) -> None:
        super().__init__(values)
        self._looked = looked

    def __iter__(self) -> Iterator[Any]:
        for one in super().__iter__():
            self._looked.take()
            yield one

    def __getitem__(self, place: Any) -> Any:
        self._looked.take()
        return super().__getitem__(place)
