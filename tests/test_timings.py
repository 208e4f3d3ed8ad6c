"""The module inside the server: it tells how long each stage took, and changes nothing that is answered."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from scorebench.answers.server_timing import parse
from scorebench.timings import ServerTiming, stage
from scorebench.timings.middleware import timed as timed_function
from scorebench.timings.mlflow_server import _missing
from scorebench.timings.names import STAGES, TOTAL, WORKER

TIMINGS = Path(inspect.getfile(ServerTiming)).parent


def ask(app: Any, pieces: list[bytes] = [b""]) -> dict[str, Any]:  # noqa: B006 (read alone)
    """One POST to an ASGI application: its messages, and `told`, what its Server-Timing says."""
    came = [
        {"type": "http.request", "body": piece, "more_body": n + 1 < len(pieces)}
        for n, piece in enumerate(pieces)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return came.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http"}, receive, send))
    headers = dict(sent[0]["headers"])
    return {"sent": sent, "told": parse(headers.get(b"server-timing", b""))}


async def reads_and_predicts(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, and predicts in a thread, as MLflow does."""
    body = b""
    more = True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    with stage("predict"):
        await asyncio.sleep(0.02)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"own", b"1")]})
    await send({"type": "http.response.body", "body": body})


def test_an_application_of_your_own() -> None:
    """Two pieces of a body come after 10 ms each: 20 ms of reading. Predicting takes 20 ms more."""
    answer = ask(ServerTiming(reads_and_predicts), [b"a", b"b"])
    start, body = answer["sent"]
    told = answer["told"].durations_s
    assert body["body"] == b"ab"
    assert [name for name, _ in start["headers"]] == [b"own", b"server-timing"]
    assert list(told) == [TOTAL, "read", "predict"]
    assert told["read"] >= 0.019
    assert told["predict"] >= 0.019
    assert told[TOTAL] >= told["read"] + told["predict"] - 1e-5
    assert answer["told"].descriptions[WORKER].isdigit()
    assert answer["told"].refused == 0


def test_what_is_no_http_passes() -> None:
    """A start of the server and a websocket have no call."""
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], receive, send))

    asyncio.run(ServerTiming(app)({"type": "lifespan"}, "receive", "send"))  # type: ignore[arg-type]
    assert seen == [("lifespan", "receive", "send")]


def test_stages_inside_a_stage_count_once() -> None:
    """A model that calls another model: its schema check is a part of the outer predict."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with stage("predict"), stage("schema"):
            await asyncio.sleep(0.01)
        with stage("schema"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    told = ask(ServerTiming(app))["told"].durations_s
    assert set(told) == {TOTAL, "predict", "schema"}
    assert told["predict"] >= 0.009 > told["schema"]


def test_a_stage_ends_where_it_raises() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            with stage("parse"):
                raise KeyError("x")
        except KeyError:
            with stage("write"):
                pass
        await send({"type": "http.response.start", "status": 400, "headers": []})

    assert set(ask(ServerTiming(app))["told"].durations_s) == {TOTAL, "parse", "write"}


def test_calls_side_by_side_keep_their_own_stages() -> None:
    """Ten calls in one loop and its threads, each with a stage of its own name."""
    headers: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        headers.extend(value for name, value in message["headers"] if name == b"server-timing")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        def work() -> None:
            with stage(scope["name"]):
                pass

        await asyncio.to_thread(work)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def all_at_once() -> None:
        timing = ServerTiming(app)
        await asyncio.gather(*(timing({"type": "http", "name": f"s{n}"}, receive, send) for n in range(10)))

    asyncio.run(all_at_once())
    names = [set(parse(header).durations_s) - {TOTAL} for header in headers]
    assert sorted(names, key=str) == sorted(({f"s{n}"} for n in range(10)), key=str)


def test_outside_a_call_nothing_happens() -> None:
    """The wrapped functions of MLflow are called by others, too; and they keep their signature."""

    def double(value: int, *, params: object = None) -> int:
        return 2 * value

    wrapped = timed_function(double, "predict")
    assert wrapped(4) == 8
    assert inspect.signature(wrapped) == inspect.signature(double)


@pytest.mark.parametrize("name", ["", "two words", "a;dur=1", "a" * 41, "\u00e9"])
def test_a_name_that_no_header_holds_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected 1 to 40 letters"):
        stage(name)


def test_it_needs_nothing_that_a_server_lacks() -> None:
    """In an image only this folder is mounted: none of its modules imports anything else of scorebench."""
    code = (
        "import sys, types\n"
        "package = types.ModuleType('scorebench'); package.__path__ = [sys.argv[1]]\n"
        "sys.modules['scorebench'] = package\n"
        "import scorebench.timings, scorebench.timings.mlflow_server\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('scorebench.')))"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code, str(TIMINGS.parent)], capture_output=True, text=True, check=True
    )
    outside, ours = ended.stdout.splitlines()
    assert outside.split() == ["__main__", "scorebench"] or outside.split() == ["scorebench"]
    assert all(name.startswith("scorebench.timings") for name in ours.split())


def _like_mlflow() -> tuple[ModuleType, ModuleType]:
    """The names that MLflow's modules have, calling each other as MLflow does."""
    server, pyfunc = ModuleType("server"), ModuleType("pyfunc")
    exec(
        "def parse_csv_input(): ...\ndef _parse_json_data(): ...\ndef predictions_to_json(): ...\n"
        "def invocations(): parse_csv_input(); _parse_json_data(); predictions_to_json()\n"
        "def init(model):\n async def transformation(): invocations()\n return transformation\n",
        server.__dict__,
    )
    exec(
        "def _validate_prediction_input(): ...\n"
        "class PyFuncModel:\n"
        " def predict(self): return self._predict()\n"
        " def _predict(self): _validate_prediction_input(); return self._predict_fn()\n",
        pyfunc.__dict__,
    )
    return server, pyfunc


def test_what_it_wraps_is_checked() -> None:
    assert list(_missing(*_like_mlflow())) == []


@pytest.mark.parametrize("name", ["invocations", "_parse_json_data", "predictions_to_json", "init"])
def test_a_function_that_is_gone_is_missed(name: str) -> None:
    server, pyfunc = _like_mlflow()
    delattr(server, name)
    assert name in list(_missing(server, pyfunc))


def test_a_function_that_is_called_by_another_name_is_missed() -> None:
    """It is there, and wrapping it would time nothing."""
    server, pyfunc = _like_mlflow()
    exec("def invocations(): parse_csv_input(); _read_json(); predictions_to_json()", server.__dict__)
    assert list(_missing(server, pyfunc)) == ["_parse_json_data"]


def test_a_model_that_predicts_in_another_way_is_missed() -> None:
    server, pyfunc = _like_mlflow()
    exec("class PyFuncModel:\n def predict(self): return self.run()", pyfunc.__dict__)
    assert list(_missing(server, pyfunc)) == ["PyFuncModel._predict_fn", "_validate_prediction_input"]


@pytest.fixture(scope="module")
def answered() -> dict[str, Any]:
    """What MLflow's own application answers, without timings and with them."""
    pytest.importorskip("mlflow")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.timings_in_mlflow"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_answers_of_mlflow_are_the_same_byte_for_byte(answered: dict[str, Any]) -> None:
    """Predictions and errors of every kind, and their headers, but for the one that is new."""
    for name, plain in answered["plain"].items():
        timed = answered["timed"][name]
        assert plain["told"] is None
        assert _comparable(timed) == _comparable(plain), name
    assert [answered["plain"][name]["status"] for name in ("split", "csv", "parquet")] == [200] * 3


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """All but the new header; of an error not its stack trace, which names the frames of the wrapper."""
    same = {key: value for key, value in answer.items() if key != "told"}
    if answer["status"] != 400:
        return same
    error = {key: value for key, value in json.loads(answer["body"]).items() if key != "stack_trace"}
    return {"status": 400, "error": error, "type": answer["headers"]["content-type"]}


def test_a_model_that_sleeps_does_so_in_predict_and_nowhere_else(answered: dict[str, Any]) -> None:
    """20 ms. Of five calls the fastest of every other stage is below half of that on a busy machine too."""
    told = [parse(header.encode()).durations_s for header in answered["again"]]
    assert all(set(one) == {TOTAL, *STAGES} for one in told)
    assert all(one["predict"] >= 0.02 for one in told)
    fastest = {name: min(one[name] for one in told) for name in STAGES}
    assert {name for name, seconds in fastest.items() if seconds >= 0.01} == {"predict"}
    assert all(sum(one[name] for name in STAGES) <= one[TOTAL] + 1e-4 for one in told)


@pytest.mark.parametrize(
    ("request_name", "stages"),
    [
        ("csv", set(STAGES)),
        ("parquet", set(STAGES)),
        ("no json", {"read", "queue", "parse"}),
        ("a missing column", {"read", "queue", "parse", "schema"}),
        ("a model that raises", {"read", "queue", "parse", "schema", "predict"}),
        ("another type", {"read", "queue"}),
    ],
)
def test_each_request_has_the_stages_that_it_reached(
    answered: dict[str, Any], request_name: str, stages: set[str]
) -> None:
    told = parse(answered["timed"][request_name]["told"].encode())
    assert set(told.durations_s) == {TOTAL, *stages}
    assert told.refused == 0
