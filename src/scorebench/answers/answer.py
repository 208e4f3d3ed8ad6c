"""Answer → Outcome: valid, or the reason why not. Knows MLflow's replies; no time, no socket.

The first answer to a payload is parsed and judged. The same body again is valid without parsing; another
body is judged again, and counted as changed under load, unless it is near enough.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from scorebench.answers.first import FirstAnswers
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.answers.pages import is_page, title_of
from scorebench.answers.readings import ROWS, Reading
from scorebench.answers.strict_json import LARGE_BYTES, NotPredictions

_STATUS: dict[int, Outcome] = {
    401: Outcome.UNAUTHORIZED,
    403: Outcome.UNAUTHORIZED,
    404: Outcome.NOT_FOUND,
    413: Outcome.TOO_LARGE,
    415: Outcome.UNSUPPORTED_MEDIA_TYPE,
    422: Outcome.REJECTED,
    429: Outcome.OVERLOADED,
    500: Outcome.MODEL_ERROR,
    502: Outcome.GATEWAY_ERROR,
    503: Outcome.OVERLOADED,
    524: Outcome.GATEWAY_TIMEOUT,
}
_DIGEST_BYTES = 16
_DIGESTED_AT_ONCE = 2**20
_CAUSE_CHARACTERS = 200
FULL_CHARACTERS = 1_800


class _Error(msgspec.Struct):
    """MLflow's error, as far as it is read."""

    error_code: str | None = None
    message: str | None = None
    stack_trace: str | None = None


class _Traced(msgspec.Struct):
    stack_trace: Any = None


class Judged(NamedTuple):
    """What an answer is worth."""

    outcome: Outcome
    is_first: bool = False
    """Whether it has the bytes of the first valid answer to its payload."""
    why: str = ""
    """Why it is not valid, where its outcome does not say all."""


class Judge:
    """Says what each answer is worth, and remembers for each payload the body that was found valid."""

    def __init__(
        self,
        rows: tuple[int, ...],
        reading: Reading = ROWS,
        *,
        nulls: bool = True,
        pause: Callable[[], None] = lambda: None,
        tolerance: float = 0.0,
    ) -> None:
        """`rows`: what `reading` has to count in the answer to each payload; `nulls`: whether a prediction
        may be null; `pause` between the slices of a large answer; `tolerance` as in `FirstAnswers`."""
        self._rows = rows
        self._reading = reading
        self._nulls = nulls
        self._pause = pause
        self.first = FirstAnswers(tolerance)

    def judge(self, payload: int, answer: Answer) -> Outcome:
        """The outcome of `answer` to payload number `payload`."""
        return self.compare(payload, answer).outcome

    def compare(self, payload: int, answer: Answer) -> Judged:
        """As `judge`, with whether it is the first again, and why not valid.

        Other answers are judged during a pause of this one: what it is compared with is looked up after the
        last pause, and nothing about one answer is kept in the judge.
        """
        if answer.status != 200:
            return Judged(of_status(answer))
        if answer.stream is not None:
            return Judged(answer.stream.outcome)
        digest = _digest(answer.body, self._pause)
        if self.first.repeats(payload, digest):
            return Judged(Outcome.VALID, is_first=True)
        try:
            count = self._reading.count(answer.body, nulls=self._nulls, pause=self._pause)
        except NotPredictions as error:
            is_first = self.first.take(payload, answer.body, digest, is_valid=False)
            return Judged(error.outcome, is_first, str(error))
        is_valid = count is None or count == self._rows[payload]
        is_first = self.first.take(payload, answer.body, digest, is_valid=is_valid)
        if is_valid:
            return Judged(Outcome.VALID, is_first)
        return Judged(Outcome.WRONG_COUNT, is_first, f"{count:,} instead of {self._rows[payload]:,}")


def _digest(body: bytes, pause: Callable[[], None]) -> bytes:
    """A digest and not the body: 16 bytes a payload, whatever the size of the answers."""
    if len(body) <= _DIGESTED_AT_ONCE:
        return blake2b(body, digest_size=_DIGEST_BYTES).digest()
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for at in range(0, len(body), _DIGESTED_AT_ONCE):
        digest.update(memoryview(body)[at : at + _DIGESTED_AT_ONCE])
        pause()
    return digest.digest()


def of_status(answer: Answer) -> Outcome:
    """What an answer other than 200 means: MLflow's 400s are told apart by their body."""
    if answer.status == 400:
        # MLflow answers 400 when the model itself raised: the server's fault, dressed as the client's.
        return Outcome.MODEL_ERROR if _has_stack_trace(answer.body) else Outcome.REJECTED
    if answer.status == 504:
        return Outcome.GATEWAY_TIMEOUT if _is_html(answer) else Outcome.SERVER_TIMEOUT
    return _STATUS.get(answer.status, Outcome.OTHER_STATUS)


def _has_stack_trace(body: bytes) -> bool:
    if b'"stack_trace"' not in body:  # most 400s need no parser; a column may have that name, though
        return False
    if len(body) > LARGE_BYTES:  # a parser would hold up the other calls; it has failed either way
        return True
    try:
        return bool(msgspec.json.decode(body, type=_Traced).stack_trace)  # all else is passed over, quickly
    except msgspec.ValidationError:
        return False
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True


def _is_html(answer: Answer) -> bool:
    # MLflow's own 504 says JSON and holds plain text; that of a gateway before it is a page.
    return "html" in answer.content_type.lower() or answer.body.lstrip()[:1] == b"<"


def _page(answer: Answer) -> str | None:
    """What an answer that is a web page looks like, and what that means for a 200; None for any other."""
    if not ("html" in answer.content_type.lower() or is_page(answer.body)):
        return None
    title = title_of(answer.body)
    shown = f" titled {title!r}" if title else f": {answer.body.decode('utf-8', 'replace')}"
    ask = "; is the URL that of the scoring endpoint?" if answer.status == 200 else ""
    return f"a web page{shown}{ask}"


def describe(answer: Answer, why: str = "") -> str:
    """The answer as an example for a report: its status, and the cause where it names one, else its body.

    `why` a 200 is not valid comes before its body.
    """
    if answer.location:
        return f"{answer.status}, redirects to {answer.location[:_CAUSE_CHARACTERS]}"
    if page := _page(answer):
        return f"{answer.status}, {page}"
    status = f"{answer.status} ({why})" if why else str(answer.status)
    return f"{status} {_cause(answer.body) or _text(answer.body)}"


def described_in_full(answer: Answer) -> str:
    """The answer for who has to act on it: its status and MLflow's whole message, else its body.

    Longer than FULL_CHARACTERS, it loses its middle: a message begins with the data and ends with the cause.
    """
    message = _message(answer.body) or _text(answer.body)
    text = " ".join(f"{answer.status} {message}".split())
    half = FULL_CHARACTERS // 2
    return text if len(text) <= FULL_CHARACTERS else f"{text[:half]} … {text[-half:]}"


def _text(body: bytes) -> str:
    """The body, without the middle of one that is large: nobody is shown that."""
    if len(body) > LARGE_BYTES:
        body = body[: LARGE_BYTES // 2] + body[-LARGE_BYTES // 2 :]
    return body.decode("utf-8", "replace")


def _error_in(body: bytes) -> _Error | None:
    """None for a body that is no such error, or too large to be read in one go."""
    if len(body) > LARGE_BYTES:
        return None
    try:
        error = msgspec.json.decode(body, type=_Error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return error if error.error_code is not None else None


def _message(body: bytes) -> str | None:
    error = _error_in(body)
    if error is None:
        return None
    trace = (error.stack_trace or "").strip().splitlines()
    cause = f" ({trace[-1].strip()})" if trace and trace[-1].strip() not in (error.message or "") else ""
    return f"{error.error_code}: {error.message or ''}{cause}"


def _cause(body: bytes) -> str | None:
    """What MLflow's `{"error_code": …, "message": …, "stack_trace": …}` comes to; None for another body.

    The end matters: the message begins with the data, and the stack trace ends with the error.
    """
    error = _error_in(body)
    if error is None:
        return None
    trace = (error.stack_trace or "").strip().splitlines()
    text = trace[-1].strip() if trace else " ".join((error.message or "").split())
    room = _CAUSE_CHARACTERS - len(error.error_code or "") - 2
    return f"{error.error_code}: {text if len(text) <= room else '…' + text[1 - room :]}"
