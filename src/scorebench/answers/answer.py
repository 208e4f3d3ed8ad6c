"""Answer → Outcome: valid, or the reason why not. Knows MLflow's replies; no time, no socket.

The first answer to a payload is parsed and judged. The same body again is valid without parsing; another
body is judged anew, and counted as changed under load.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome

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
}
_DIGEST_BYTES = 16


class NotPredictions(ValueError):
    """A body that holds no predictions; `outcome` says in which way."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class Judge:
    """Says what each answer is worth, and remembers for each payload the body that was found valid."""

    def __init__(self, rows: tuple[int, ...]) -> None:
        self._rows = rows
        self._valid_digest: dict[int, bytes] = {}
        self.changed = 0
        """Answers to a payload whose bytes were not those of the valid answer before."""

    def judge(self, payload: int, answer: Answer) -> Outcome:
        """The outcome of `answer` to payload number `payload`."""
        if answer.status != 200:
            return of_status(answer)
        # A digest and not the body: 16 bytes a payload, whatever the size of the answers.
        digest = blake2b(answer.body, digest_size=_DIGEST_BYTES).digest()
        known = self._valid_digest.get(payload)
        if known == digest:
            return Outcome.VALID
        self.changed += known is not None
        try:
            predictions = parse_predictions(answer.body)
        except NotPredictions as error:
            return error.outcome
        if len(predictions) != self._rows[payload]:
            return Outcome.WRONG_COUNT
        self._valid_digest[payload] = digest
        return Outcome.VALID


def parse_predictions(body: bytes) -> list[Any]:
    """The predictions of a 200's body, one a row: `{"predictions": …}`, or the bare list of MLflow 1.x.

    A dict of equally long columns (a model with several named outputs) counts as its rows. Raises
    NotPredictions; a NaN anywhere, which is not JSON, is told apart from what else can't be parsed.
    """
    try:
        parsed = json.loads(body, parse_constant=_refuse_constant)
    except NotPredictions:
        raise
    except (ValueError, RecursionError) as error:
        raise NotPredictions(Outcome.NOT_PARSEABLE, f"no JSON: {error}") from None
    predictions = parsed.get("predictions") if isinstance(parsed, dict) else parsed
    if isinstance(predictions, dict) and predictions:
        return _rows_of_columns(predictions)
    if not isinstance(predictions, list):
        raise NotPredictions(Outcome.NOT_PARSEABLE, "JSON without a list of predictions")
    return predictions


def _rows_of_columns(columns: dict[str, Any]) -> list[Any]:
    if not all(isinstance(column, list) for column in columns.values()):
        return [columns]
    if len({len(column) for column in columns.values()}) > 1:
        raise NotPredictions(Outcome.NOT_PARSEABLE, "columns of predictions of unequal length")
    return list(zip(*columns.values(), strict=True))


def _refuse_constant(name: str) -> None:
    outcome = Outcome.NAN_PREDICTION if name == "NaN" else Outcome.NOT_PARSEABLE
    raise NotPredictions(outcome, f"a bare {name} is not JSON")


def of_status(answer: Answer) -> Outcome:
    """What an answer other than 200 means: MLflow's 400s are told apart by their body."""
    if answer.status == 400:
        # MLflow answers 400 when the model itself raised: the server's fault, dressed as the client's.
        return Outcome.MODEL_ERROR if _has_stack_trace(answer.body) else Outcome.REJECTED
    if answer.status == 504:
        return Outcome.GATEWAY_ERROR if _is_html(answer) else Outcome.SERVER_TIMEOUT
    return _STATUS.get(answer.status, Outcome.OTHER_STATUS)


def _has_stack_trace(body: bytes) -> bool:
    if b'"stack_trace"' not in body:  # most 400s need no parser; a column may have that name, though
        return False
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return True
    return isinstance(parsed, dict) and bool(parsed.get("stack_trace"))


def _is_html(answer: Answer) -> bool:
    # MLflow's own 504 says JSON and holds plain text; that of a gateway before it is a page.
    return "html" in answer.content_type.lower() or answer.body.lstrip()[:1] == b"<"


def describe(answer: Answer) -> str:
    """The answer as an example for a report: its status and its body as text."""
    return f"{answer.status} {answer.body.decode('utf-8', 'replace')}"
