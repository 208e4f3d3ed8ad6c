"""Each answer gets the outcome that says what it is worth: valid, or the one reason why not."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.answer import Judge, describe, of_status
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Group, Outcome
from scorebench.answers.predictions import count_predictions, parse_predictions
from scorebench.answers.readings import READINGS, Reading
from scorebench.answers.strict_json import LARGE_BYTES, NotPredictions
from tests.client import answer_of, connection_to, request_to
from tests.scoring_server import Behaviour, Reply, replies, scoring_server

TWO = b'{"predictions": [5.5, 6.25]}'
JSON, HTML = "application/json", "text/html"


def ok(body: bytes) -> Answer:
    return Answer(200, JSON, body)


def judged(body: bytes, rows: int = 2) -> Outcome:
    """The outcome of a 200 with this body to a call with that many rows."""
    return Judge((rows,)).judge(0, ok(body))


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        pytest.param(TWO, 2, id="MLflow 2 and 3"),
        pytest.param(b"[5.5, 6.25]", 2, id="the bare list of 1.x"),
        pytest.param(b'{"predictions": [[0.1, 0.9], [0.8, 0.2]]}', 2, id="a vector a row"),
        pytest.param(b'{"predictions": [{"a": 1}, {"a": 2}]}', 2, id="a record a row"),
        pytest.param(b'{"predictions": {"mean": [1, 2], "std": [3, 4]}}', 2, id="columns"),
        pytest.param(b'{"predictions": {"mean": 1.5, "std": 0.5}}', 1, id="one row of named scalars"),
        pytest.param(b'{"predictions": ["caf\xc3\xa9", null]}', 2, id="text and null"),
        pytest.param(b' \r\n{"predictions": [5.5, 6.25], "model": "wine"}\n', 2, id="blanks, other keys"),
        pytest.param(b'{"predictions": [], "predictions": [1, 2]}', 2, id="a key twice: the last"),
        pytest.param(b'{"predictions": {"error": 0.25}}', 1, id="a model that predicts an error"),
        pytest.param(b'{"predictions": {"error": ["a", "b"]}}', 2, id="a column named error"),
        pytest.param(b'{"predictions": [{"error": 0.1}, {"error": null}]}', 2, id="a field named error"),
        pytest.param(b'["Internal Server Error"]', 1, id="text, as a model may well answer"),
        pytest.param(b'{"predictions": [18446744073709551616, 1]}', 2, id="beyond 64 bits"),
        pytest.param(b'\xef\xbb\xbf{"predictions": [1, 2]}', 2, id="a byte order mark"),
    ],
)
def test_valid_predictions(body: bytes, rows: int) -> None:
    """One prediction for each row, in any form that MLflow answers."""
    assert judged(body, rows) is Outcome.VALID


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"predictions": [5.5]}', Outcome.WRONG_COUNT),
        (b'{"predictions": [5.5, 6.25, 7.0]}', Outcome.WRONG_COUNT),
        (b'{"predictions": []}', Outcome.WRONG_COUNT),
        (b"[]", Outcome.WRONG_COUNT),
        (b'{"predictions": {"mean": [1, 2, 3]}}', Outcome.WRONG_COUNT),
        (b'{"predictions": [NaN, 1.0]}', Outcome.NAN_PREDICTION),
        (b'{"predictions": [{"a": [NaN]}, 1.0]}', Outcome.NAN_PREDICTION),
        (b'{"predictions": [Infinity, 1.0]}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": [-Infinity, 1.0]}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": ["NaN", 1.0', Outcome.NOT_PARSEABLE),
        (b'{"predictions": [1e999, 1]}', Outcome.OUT_OF_RANGE),
        (b'{"predictions": [[1.0, -1e999], [1]]}', Outcome.OUT_OF_RANGE),
        (b'{"predictions": [' + b"9" * 400 + b", 1]}", Outcome.OUT_OF_RANGE),
        (b'{"predictions": {"error": "boom"}}', Outcome.ERROR_INSIDE),
        (b'{"predictions": [{"error_code": "X", "message": "boom"}, 1]}', Outcome.ERROR_INSIDE),
        (b'[{"Error": "boom"}, {"a": 1}]', Outcome.ERROR_INSIDE),
        (b'{"predictions": [1, 2], "error": {"code": 5}}', Outcome.ERROR_INSIDE),
        (b'{"error_code": "BAD_REQUEST", "message": "no"}', Outcome.ERROR_INSIDE),
        (b'{"predictions": [{"stack_trace": "Traceback"}, 2]}', Outcome.ERROR_INSIDE),
        (b'{"predictions": {"mean": [1, 2], "std": [3]}}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": {}}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": 5.5}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": "5.5, 6.25"}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": null}', Outcome.NOT_PARSEABLE),
        (b'{"result": [5.5, 6.25]}', Outcome.NOT_PARSEABLE),
        (b"5.5", Outcome.NOT_PARSEABLE),
        (b"null", Outcome.NOT_PARSEABLE),
        (b'"[1, 2]"', Outcome.NOT_PARSEABLE),
        (b"", Outcome.NOT_PARSEABLE),
        (b"<html></html>", Outcome.NOT_PARSEABLE),
        (b'{"predictions": [1, 2]} {}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": ["\xff\xfe", 1]}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": ["a\nb", 1]}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": [' + b"9" * 100_000 + b", 1]}", Outcome.NOT_PARSEABLE),
        (b"[" * 200_000 + b"]" * 200_000, Outcome.NOT_PARSEABLE),
        (b'{"predictions": ' + b'{"a": ' * 200_000, Outcome.NOT_PARSEABLE),
    ],
)
def test_a_200_can_be_worth_nothing(body: bytes, outcome: Outcome) -> None:
    """Wrong in number, not JSON, or no predictions: each by its own name, and none an exception."""
    assert judged(body) is outcome
    assert gevent.spawn(judged, body).get() is outcome  # a greenlet has a smaller stack


def test_strings_that_look_like_nan_are_strings() -> None:
    """Only the bare word is not JSON."""
    assert judged(b'{"predictions": ["NaN", "Infinity"]}') is Outcome.VALID


@given(st.binary(max_size=200))
def test_no_body_breaks_the_judge(body: bytes) -> None:
    """Whatever a 200 holds has an outcome that counts as valid or invalid."""
    assert judged(body).group in (Group.VALID, Group.INVALID)


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_infinity=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(JSON_VALUES, max_size=6), st.integers(0, 6))
def test_as_many_predictions_as_rows(values: list[object], rows: int) -> None:
    """A list is valid exactly if it is as long as the rows were many and holds no NaN."""
    body = json.dumps({"predictions": values})
    try:
        json.dumps(values, allow_nan=False)
    except ValueError:
        expected = Outcome.NAN_PREDICTION
    else:
        expected = Outcome.VALID if len(values) == rows else Outcome.WRONG_COUNT
    assert judged(body.encode(), rows) is expected


def test_predictions_are_handed_out_one_a_row() -> None:
    """Columns are turned into rows, in their order."""
    assert parse_predictions(TWO) == [5.5, 6.25]
    assert parse_predictions(b'{"predictions": {"a": [1, 2], "b": [3, 4]}}') == [(1, 3), (2, 4)]
    with pytest.raises(NotPredictions, match="a bare NaN is not JSON"):
        parse_predictions(b"[NaN]")


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (replies.rejected("SCHEMA_ENFORCEMENT_FAILED"), Outcome.REJECTED),
        (replies.rejected(message='the column "stack_trace" is missing'), Outcome.REJECTED),
        (Reply(400, b'{"error_code": "BAD_REQUEST", "stack_trace": null}'), Outcome.REJECTED),
        (Reply(400, b'{"columns": ["stack_trace"]}'), Outcome.REJECTED),
        (Reply(400, b'["stack_trace"]'), Outcome.REJECTED),
        (replies.nginx(400), Outcome.REJECTED),
        (Reply(422, b'{"detail": []}'), Outcome.REJECTED),
        (replies.model_error(), Outcome.MODEL_ERROR),
        (Reply(400, b'{"stack_trace": "cut off'), Outcome.MODEL_ERROR),
        (Reply(400, b'{"columns": ["stack_trace"], "x": "' + b" " * LARGE_BYTES), Outcome.MODEL_ERROR),
        (Reply(400, b'{"columns": [], "x": "' + b" " * LARGE_BYTES), Outcome.REJECTED),
        (replies.CRASHED, Outcome.MODEL_ERROR),
        (Reply(500, b'{ "Error" : "MLeap" }'), Outcome.MODEL_ERROR),
        (replies.unsupported("text/plain"), Outcome.UNSUPPORTED_MEDIA_TYPE),
        (replies.nginx(413), Outcome.TOO_LARGE),
        (replies.TOO_MANY, Outcome.OVERLOADED),
        (replies.OVERLOADED, Outcome.OVERLOADED),
        (replies.nginx(429), Outcome.OVERLOADED),
        (replies.nginx(503), Outcome.OVERLOADED),
        (replies.nginx(502), Outcome.GATEWAY_ERROR),
        (replies.nginx(504), Outcome.GATEWAY_TIMEOUT),
        (replace(replies.nginx(504), content_type=""), Outcome.GATEWAY_TIMEOUT),
        (Reply(524, b""), Outcome.GATEWAY_TIMEOUT),
        (replies.MLFLOW_TIMEOUT, Outcome.SERVER_TIMEOUT),
        (Reply(504, b'{"error": "upstream"}'), Outcome.SERVER_TIMEOUT),
        (replies.UNAUTHORIZED, Outcome.UNAUTHORIZED),
        (Reply(403, b"{}"), Outcome.UNAUTHORIZED),
        (replies.NOT_FOUND, Outcome.NOT_FOUND),
        (replies.NO_METHOD, Outcome.OTHER_STATUS),
        (Reply(204), Outcome.OTHER_STATUS),
        (Reply(201, TWO), Outcome.OTHER_STATUS),
        (Reply(302, b"", headers=(("location", "/login"),)), Outcome.OTHER_STATUS),
    ],
)
def test_what_an_error_means(reply: Reply, outcome: Outcome) -> None:
    """MLflow's, nginx's and others' errors are told apart, by status and where that is not enough by body."""
    body = reply.body if isinstance(reply.body, bytes) else b""
    assert of_status(Answer(reply.status, reply.content_type, body)) is outcome


def test_errors_from_a_server() -> None:
    """The same, once over a real connection."""
    wanted = {
        replies.model_error(): Outcome.MODEL_ERROR,
        replies.nginx(504): Outcome.GATEWAY_TIMEOUT,
        replies.MLFLOW_TIMEOUT: Outcome.SERVER_TIMEOUT,
        replies.NAN: Outcome.NAN_PREDICTION,
        replies.ONE_TOO_MANY: Outcome.WRONG_COUNT,
        replies.BARE_LIST: Outcome.VALID,
        replies.NOT_JSON: Outcome.NOT_PARSEABLE,
    }
    judge = Judge((2,))
    with (
        scoring_server(Behaviour(script=dict(enumerate(wanted)))) as server,
        connection_to(server.url) as connection,
    ):
        found = [judge.judge(0, answer_of(connection, request_to(server))) for _ in wanted]
    assert found == list(wanted.values())


def test_the_same_bytes_are_no_change() -> None:
    """Equal answers count nothing; each that differs from the first counts, also when it comes again."""
    judge = Judge((2,))
    changes = []
    for body in (TWO, TWO, b"[1, 2]", b"[1, 2]", TWO, b"[3]", TWO):
        judge.judge(0, ok(body))
        changes.append(judge.first.changed)
    # The invalid [3] is another answer too; TWO, the first one, is not.
    assert changes == [0, 0, 1, 2, 2, 3, 3]


def test_payloads_are_judged_apart() -> None:
    """Each payload has its own rows and its own known answer."""
    judge = Judge((2, 1))
    bodies = (TWO, b"[1]")
    assert [judge.judge(index, ok(bodies[index])) for index in (0, 1, 0, 1)] == [Outcome.VALID] * 4
    assert judge.judge(1, ok(TWO)) is Outcome.WRONG_COUNT
    assert judge.first.changed == 1


def test_an_invalid_answer_is_never_known() -> None:
    """Its bytes again are invalid again, and nothing has changed."""
    judge = Judge((2,))
    assert [judge.judge(0, ok(b"[1]")) for _ in range(3)] == [Outcome.WRONG_COUNT] * 3
    assert judge.first.changed == 0


def test_errors_are_no_change() -> None:
    """An overloaded server's 503 says nothing about its predictions."""
    judge = Judge((2,))
    for answer in (ok(TWO), Answer(503, "", b""), ok(TWO)):
        judge.judge(0, answer)
    assert judge.first.changed == 0


def test_a_null_is_a_prediction_where_the_signature_allows_it() -> None:
    """Nobody knows without a signature; where its outputs are all required, a null is named."""
    body = ok(b'{"predictions": [null, 1.0]}')
    assert Judge((2,)).judge(0, body) is Outcome.VALID
    assert Judge((2,), nulls=False).judge(0, body) is Outcome.NULL_PREDICTION
    for named in (b'{"predictions": {"a": [1, null], "b": [1, 2]}}', b'[{"a": 1}, {"a": null}]'):
        assert Judge((2,), nulls=False).judge(0, ok(named)) is Outcome.NULL_PREDICTION
    assert Judge((2,), nulls=False).judge(0, ok(TWO)) is Outcome.VALID


def oracle(body: bytes) -> Outcome | int:
    """What `json.loads` makes of a body: how many predictions, or the outcome. For this test alone."""
    try:
        parsed = json.loads(body, parse_constant=nan)
        predictions = parsed.get("predictions") if isinstance(parsed, dict) else parsed
        if isinstance(predictions, dict) and predictions:
            columns = list(predictions.values())
            if not all(isinstance(column, list) for column in columns):
                return 1
            lengths = {len(column) for column in columns}
            return Outcome.NOT_PARSEABLE if len(lengths) > 1 else lengths.pop()
        return len(predictions) if isinstance(predictions, list) else Outcome.NOT_PARSEABLE
    except NanFound:
        return Outcome.NAN_PREDICTION
    except (ValueError, RecursionError):
        return Outcome.NOT_PARSEABLE


class NanFound(Exception):
    """A bare NaN."""


def nan(name: str) -> float:
    if name == "NaN":
        raise NanFound
    raise ValueError(name)


def counted(body: bytes) -> Outcome | int:
    try:
        return count_predictions(body)
    except NotPredictions as error:
        return error.outcome


@given(st.lists(JSON_VALUES, max_size=6), st.booleans(), st.integers(0, 3), st.randoms())
def test_the_reader_agrees_with_json(
    values: list[object], bare: bool, damage: int, random: random.Random
) -> None:
    """Whole bodies and damaged ones: msgspec's reader counts, and refuses, as `json.loads` does."""
    body = bytearray(json.dumps(values if bare else {"predictions": values}).encode())
    for _ in range(damage):
        body[random.randrange(len(body))] = random.choice(b'[]{},:"0123456789eE.-+NaIu\\ \n\x00\xff')
    expected = oracle(bytes(body))
    found = counted(bytes(body))
    # What the reader names more exactly than the oracle, which knows no errors and no bounds of a double:
    assert found == expected or found in (Outcome.ERROR_INSIDE, Outcome.OUT_OF_RANGE)


def test_a_kind_of_answer_is_one_record() -> None:
    """A reading of one's own: lines of text, one a row, and none of them empty."""

    def count_lines(body: bytes, **_: object) -> int:
        lines = body.splitlines()
        if not all(lines):
            raise NotPredictions(Outcome.NOT_PARSEABLE, "an empty line")
        return len(lines)

    judge = Judge((2,), Reading("lines", count_lines, "it has one line per row"))
    bodies = (b"a\nb", b"a", b"a\n\nb", b"a\nb")
    assert [judge.judge(0, ok(body)) for body in bodies] == [
        Outcome.VALID,
        Outcome.WRONG_COUNT,
        Outcome.NOT_PARSEABLE,
        Outcome.VALID,
    ]
    assert all(reading.name == name for name, reading in READINGS.items())


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (replies.rejected("BAD_REQUEST", "Model is missing inputs ['alcohol']"), "Model is missing inputs"),
        (replies.model_error(), "ValueError: no"),  # the last line of its stack trace
        (
            replies.rejected(
                "BAD_REQUEST", "Failed to predict data ' fixed acidity " + "7.0 " * 200 + "'. no"
            ),
            "7.0 7.0 '. no",
        ),
    ],
)
def test_the_cause_of_an_error_is_shown(answer: Reply, shown: str) -> None:
    """Of MLflow's errors the code and the end, where the cause stands, in 200 characters."""
    assert isinstance(answer.body, bytes)
    text = describe(Answer(400, JSON, answer.body))
    assert text.startswith("400 BAD_REQUEST: ")
    assert shown in text
    assert len(text) <= len("400 ") + 200


DIGITS, KIB_256 = b"9" * 400_000, 262_144


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[1]", "1 instead of 2"),
        (b"nothing", "not JSON"),
        (b'{"result": [1, 2]}', "JSON without a list of predictions"),
        (b"[1, NaN]", "a bare NaN is not JSON"),
        (b"[1, " + b"9" * 5_000 + b"]", "not read as JSON: a number of too many digits"),
        # beyond 256 KiB answers are read in slices, with bounds of their own
        (b"[0." + DIGITS + b", 1]", f"not read as JSON: a number, or blanks, of more than {KIB_256:,} bytes"),
        (
            b"[1" + b" " * 400_000 + b", 1]",
            "not read as JSON: a number, or blanks, of more than 262,144 bytes",
        ),
        (b'[{"' + DIGITS + b'": 1}, 1]', f"not read as JSON: a key of more than {KIB_256:,} bytes at byte 2"),
        (
            b'{"predictions": {' + b",".join(b'"%d":1' % n for n in range(1_000_001)) + b"}}",
            "not read as JSON: an object of more than 1,000,000 keys",
        ),
        (b"[" * 300_000 + b"]" * 300_000, "not read as JSON: lists and objects more than 10,000 deep"),
    ],
)
def test_the_report_says_why_a_200_is_not_valid(body: bytes, why: str) -> None:
    """The reason stands before the body, of which a report shows no more than the beginning."""
    outcome, _, reason = Judge((2,)).compare(0, ok(body))
    assert outcome.group is Group.INVALID
    assert reason.startswith(why)
    assert describe(ok(body), reason).startswith(f"200 ({why}")


def test_the_target_of_a_redirect_is_shown() -> None:
    """As the server sent it, over a real connection."""
    moved = Reply(307, b"", headers=(("Location", "https://login.example/?from=x"),))
    with scoring_server(Behaviour(default=moved)) as server, connection_to(server.url) as connection:
        answer = answer_of(connection, request_to(server))
    assert describe(answer) == "307, redirects to https://login.example/?from=x"


def test_an_answer_as_an_example() -> None:
    """Status and body, readable whatever the bytes are."""
    assert describe(Answer(502, HTML, b"<html>\xff")) == "502, a web page: <html>\N{REPLACEMENT CHARACTER}"
