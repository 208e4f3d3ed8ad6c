"""What must hold for any bytes, a target for each reader. Knows the readers; not who makes the bytes.

A target takes bytes and raises where a reader breaks its promise: an exception that is not the reader's own,
a result that depends on how the bytes were cut, a value that another reader of the same bytes sees
differently, or an error message of more than one line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice, pairwise
from typing import TypeVar

from scorebench.answers import server_timing, strict_json
from scorebench.answers.event_stream import EventStream
from scorebench.answers.http_message import Answer, AnswerParser, CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import count_predictions, parse_predictions
from scorebench.answers.readings import READINGS, expected
from scorebench.answers.strict_json import NotPredictions, parse_large
from scorebench.client.target import Target
from scorebench.cluster.seals import MASTER, WORKER, Forged, Seals
from scorebench.errors import InputError
from scorebench.load import arrivals
from scorebench.recordings.types import LONGEST_SERIES_NAME
from scorebench.scrapes import exposed
from scorebench.units import parse_seconds
from scorebench.verdicts.limits import parse_limit, parse_stop_when, parse_threshold
from tests.fuzz import files, oracles
from tests.fuzz.files import Broken

T = TypeVar("T")
Check = Callable[[bytes], None]
MOST_ANSWER_BYTES = 10_000
RUN_TIME_S = 60.0


def http(message: bytes) -> None:
    """An answer is read alike however it is cut, and as h11 reads it."""
    whole = _answer([message] if message else [])
    _same("an answer byte by byte", _answer([message[at : at + 1] for at in range(len(message))]), whole)
    if message:
        at = message[-1] * len(message) // 256
        _same(
            "an answer in two pieces",
            _answer([piece for piece in (message[:at], message[at:]) if piece]),
            whole,
        )
    if isinstance(whole, Answer):
        _as_h11_reads(message, whole)


def _answer(pieces: list[bytes]) -> Answer | Outcome:
    parser = AnswerParser(MOST_ANSWER_BYTES)
    try:
        for piece in pieces:
            if parser.complete:
                break
            parser.feed(piece)
        if not parser.complete:
            parser.end()
        found = parser.answer
        return Answer(found.status, found.content_type, found.body, None, found.location)
    except CallFailed as failed:
        _one_line(failed)
        return failed.outcome
    finally:
        parser.release()


TAKEN = {
    "Only Transfer-Encoding: chunked": "such a body ends with the connection (RFC 9112, section 6.3)",
    "multiple Transfer-Encoding": "the same",
    "illegal status line": "a control character in the reason phrase, which nobody reads, or a CR in front",
    "no response line received": "an empty line before the status line",
    "illegal chunk header: bytearray(b'" + 20 * "0": "a size with more leading zeros than h11 reads",
    "InformationalResponse status_code": "a status below 100, which is never valid",
}
"""How h11's refusals begin of answers that we take, and why we do: none changes a status or a body."""


def _as_h11_reads(message: bytes, ours: Answer) -> None:
    theirs = oracles.by_h11(message)
    if isinstance(theirs, tuple):
        _same("status and body by h11", (ours.status, ours.body), theirs)
    elif not theirs.startswith(tuple(TAKEN)):
        raise Broken(f"h11 refuses what we take, for a reason that nobody has looked at: {theirs}")


def predictions(body: bytes) -> None:
    """Predictions are counted as Python's json counts them, by each of our ways to count."""
    found = _counted(partial(count_predictions, body))
    _same("two ways to count", _counted(lambda: len(parse_predictions(body))), found)
    if not isinstance(found, Outcome):
        try:
            value = oracles.by_json(body)
        except (ValueError, RecursionError) as error:
            raise Broken(f"{found} predictions in what json refuses: {error}") from None
        values = value["predictions"] if isinstance(value, dict) else value
        if isinstance(values, list):
            _same("predictions", found, len(values))


def answers(body: bytes) -> None:
    """An answer is judged alike whole and in slices, by each reading: the same value, outcome and reason."""
    whole = _judgements(body)
    for size in (1, 7, len(body) // 2 + 1):
        with in_slices_of(size):
            _same(f"judged in slices of {size}", _judgements(body), whole)


def _judgements(body: bytes) -> list[object]:
    counts = (partial(one.count, body, nulls=False, pause=_no_pause) for one in READINGS.values())
    return [_reason(partial(parse_large, body, _no_pause)), *map(_reason, counts)]


def _reason(read: Callable[[], object]) -> object:
    try:
        return repr(read())  # a NaN is not itself
    except NotPredictions as error:
        return error.outcome, str(error)


def _no_pause() -> None:
    """Nobody waits."""


@contextmanager
def in_slices_of(size: int) -> Iterator[None]:
    """Answers are read in slices of that size."""
    before = strict_json.SLICE_BYTES, strict_json.LARGE_BYTES
    strict_json.SLICE_BYTES = strict_json.LARGE_BYTES = size
    try:
        yield
    finally:
        strict_json.SLICE_BYTES, strict_json.LARGE_BYTES = before


def _counted(count: Callable[[], int]) -> int | Outcome:
    try:
        return count()
    except NotPredictions as error:
        return error.outcome


def server_timings(value: bytes) -> None:
    """A Server-Timing header gives durations of zero to an hour, with names that are bounded."""
    for name, duration_s in server_timing.parse(value).durations_s.items():
        if not 0 <= duration_s <= server_timing.LONGEST_S * server_timing.MOST_METRICS or len(name) > 40:
            raise Broken(f"{name} took {duration_s} s")


def metrics(page: bytes) -> None:
    """A page of metrics is refused in one line, or gives some finite values, with names that are bounded."""
    try:
        found = exposed.read(page.decode("utf-8", "replace"))
    except exposed.Unreadable as error:
        _one_line(error)
        return
    series = {**found.counters, **found.gauges}
    if not 0 < len(series) <= exposed.MOST_SERIES or not all(map(math.isfinite, series.values())):
        raise Broken(f"{len(series)} series: {series}")
    if not all(name.isprintable() and len(name) <= LONGEST_SERIES_NAME for name in series):
        raise Broken(f"a name that nobody can print: {list(series)}")


def events(stream: bytes) -> None:
    """A stream of events is the same however it is cut."""
    whole = EventStream().feed(stream)
    for size in (1, 2, 7):
        reader = EventStream()
        pieces = (stream[at : at + size] for at in range(0, len(stream), size))
        _same("events", [event for piece in pieces for event in reader.feed(piece)], whole)


def conditions(text: bytes) -> None:
    """A limit, a stop condition or a threshold is refused in one line, or reads the same when read again."""
    said = text.decode(errors="replace")
    _read_again(parse_limit, said)
    _read_again(parse_stop_when, said)
    _read_again(parse_threshold, said)


def _read_again(parse: Callable[[str], T], said: str) -> None:
    found = _asked(partial(parse, said))
    if found is not None:
        _same("what was said", parse(said), found)


def arrival_times(text: bytes) -> None:
    """Arrivals are refused in one line, or come due in order, within the run, at finite times."""
    spec = text.decode(errors="replace")
    if "replay" in spec or "recorded" in spec:  # a file, which the target `trace` makes
        return
    found = _asked(lambda: arrivals.parse(spec, 10.0, RUN_TIME_S, 1))
    if found is None:
        return
    _ascending(list(islice(found.due_times(), 200)), RUN_TIME_S)
    if not 0 <= (calls := found.expected_calls(RUN_TIME_S)) < math.inf:
        raise Broken(f"{calls} calls are expected")


def _ascending(times_s: list[float], end_s: float) -> None:
    if any(after < before for before, after in pairwise([0.0, *times_s])) or not all(
        0 <= at_s <= end_s for at_s in times_s
    ):
        raise Broken(f"due times that are not in order, or out of the run: {times_s[:10]}")


def words(text: bytes) -> None:
    """A URL, a duration and an expected answer are taken, or refused in one line."""
    said = text.decode(errors="replace")
    target = _asked(partial(Target.parse, said))
    if target is not None and any(character in target.path + target.netloc for character in "\r\n \x00"):
        raise Broken(f"a target that breaks out of its line: {target}")
    _asked(partial(parse_seconds, said, "--timeout"))
    _asked(partial(expected, said))


def seals(message: bytes) -> None:
    """Nothing that was not sealed with the secret is opened."""
    for role in (MASTER, WORKER):
        try:
            Seals(b"0123456789abcdef", role, b"t" * 16).opened(b"worker", message)
        except Forged as error:
            _one_line(error)
        else:
            raise Broken("a message that nobody sealed was opened")


def _asked(parse: Callable[[], T]) -> T | None:
    """What was asked for; None where it was refused, in one line."""
    try:
        return parse()
    except InputError as error:
        _one_line(error)
        return None


def _one_line(error: Exception) -> None:
    if len(str(error).splitlines()) != 1:
        raise Broken(f"an error of several lines, or of none: {str(error)!r}")


def _same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Broken(f"{what}: found {found!r}, expected {wanted!r}")


TARGETS: Mapping[str, Check] = {
    "http": http,
    "predictions": predictions,
    "answers": answers,
    "server-timing": server_timings,
    "metrics": metrics,
    "events": events,
    "conditions": conditions,
    "arrivals": arrival_times,
    "words": words,
    "seals": seals,
    "trace": partial(files.read, files.trace),
    "csv": partial(files.read, files.csv_rows),
    "json": partial(files.read, files.json_rows),
    "json-lines": partial(files.read, files.json_lines),
    "parquet": partial(files.read, files.parquet_rows),
    "recording": partial(files.read, files.recording),
    "journal": partial(files.read, files.journal),
    "report": partial(files.read, files.report),
    "configuration": partial(files.read, files.configuration),
}
"""By the name that `python -m tests.fuzz` takes, which is also the folder of its examples in `corpora`."""
