"""What can become of a call: one name each, used in every output.

Knows the names and how they are accounted for; nothing of how an outcome is found out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Group(StrEnum):
    """How a call is accounted for: due = valid + invalid + failed + cut off + never sent."""

    VALID = "valid"
    INVALID = "invalid"
    """Answered with 200, but not with one parseable prediction a row."""
    FAILED = "failed"
    """Refused, broken, too late, answered with an error, or not sent because nobody was signed in."""
    CUT_OFF = "cut_off"
    """Still in flight when the run ended and the drain was over."""


class Outcome(IntEnum):
    """The fate of one call. The numbers stay inside a process; files hold the labels."""

    VALID = 0
    WRONG_COUNT = 1
    NOT_PARSEABLE = 2
    NAN_PREDICTION = 3
    REJECTED = 4
    MODEL_ERROR = 5
    UNSUPPORTED_MEDIA_TYPE = 6
    TOO_LARGE = 7
    OVERLOADED = 8
    GATEWAY_ERROR = 9
    SERVER_TIMEOUT = 10
    CLIENT_TIMEOUT = 11
    CONNECT_TIMEOUT = 12
    CONNECTION_REFUSED = 13
    CONNECTION_RESET = 14
    CONNECTION_CLOSED = 15
    CONNECTION_FAILED = 16
    TLS_FAILED = 17
    MALFORMED_HTTP = 18
    ANSWER_TOO_LARGE = 19
    UNAUTHORIZED = 20
    NOT_FOUND = 21
    OTHER_STATUS = 22
    CUT_OFF = 23
    OTHER_ERROR = 24
    NOT_SIGNED_IN = 25
    NO_RESPONSE_TIME = 26
    ERROR_INSIDE = 27
    NULL_PREDICTION = 28
    OUT_OF_RANGE = 29
    STREAM_CUT_OFF = 30
    GATEWAY_TIMEOUT = 31

    @property
    def label(self) -> str:
        """The name that every table, file and page prints."""
        return FATES[self].label

    @property
    def group(self) -> Group:
        """Its group in the account of a run."""
        return FATES[self].group


@dataclass(frozen=True)
class Fate:
    """One outcome in words: its label, its place in the account, and what causes it, in Markdown."""

    label: str
    group: Group
    cause: str
    timed_out: bool = False
    """Whether a time limit ended it: the answer would have taken longer than the call did."""


FATES: dict[Outcome, Fate] = {
    Outcome.VALID: Fate("valid", Group.VALID, "one prediction per row, or what `--expect` asks for"),
    Outcome.WRONG_COUNT: Fate(
        "wrong number of predictions", Group.INVALID, "fewer or more predictions than rows, or than expected"
    ),
    Outcome.NOT_PARSEABLE: Fate(
        "predictions not parseable",
        Group.INVALID,
        "not JSON, `Infinity`, no list of predictions, columns of unequal length, a stream without a chunk, "
        "or not what `--expect` asks for",
    ),
    Outcome.NAN_PREDICTION: Fate(
        "prediction is NaN",
        Group.INVALID,
        "a bare `NaN` somewhere in the answer: MLflow writes it, JSON does not allow it",
    ),
    Outcome.NULL_PREDICTION: Fate(
        "prediction is null", Group.INVALID, "a null, where the signature of `--model` has none"
    ),
    Outcome.OUT_OF_RANGE: Fate(
        "prediction out of range", Group.INVALID, "a number beyond a double, such as `1e999`"
    ),
    Outcome.ERROR_INSIDE: Fate(
        "error inside a 200",
        Group.INVALID,
        "a prediction, or the whole answer, is an object that says it is an error",
    ),
    Outcome.REJECTED: Fate(
        "rejected", Group.FAILED, "400 without `stack_trace`, or 422: the request does not fit the model"
    ),
    Outcome.MODEL_ERROR: Fate(
        "model error",
        Group.FAILED,
        "400 with `stack_trace` (MLflow's answer when the model raises), 500, or an error event in a stream",
    ),
    Outcome.UNSUPPORTED_MEDIA_TYPE: Fate("unsupported media type", Group.FAILED, "415"),
    Outcome.TOO_LARGE: Fate("too large", Group.FAILED, "413"),
    Outcome.OVERLOADED: Fate("overloaded", Group.FAILED, "429 or 503"),
    Outcome.GATEWAY_ERROR: Fate("gateway error", Group.FAILED, "502: from nginx or a load balancer"),
    Outcome.GATEWAY_TIMEOUT: Fate(
        "gateway timeout",
        Group.FAILED,
        "504 with an HTML page, or 524: nginx or a load balancer gave up",
        timed_out=True,
    ),
    Outcome.SERVER_TIMEOUT: Fate(
        "server timeout", Group.FAILED, "504 without a page: MLflow gave up", timed_out=True
    ),
    Outcome.CLIENT_TIMEOUT: Fate(
        "client timeout", Group.FAILED, "no whole answer within `--timeout`", timed_out=True
    ),
    Outcome.CONNECT_TIMEOUT: Fate(
        "connect timeout",
        Group.FAILED,
        "no connection, TLS included, within `--connect-timeout`",
        timed_out=True,
    ),
    Outcome.CONNECTION_REFUSED: Fate("connection refused", Group.FAILED, "nobody listens"),
    Outcome.CONNECTION_RESET: Fate("connection reset", Group.FAILED, "the server broke the connection"),
    Outcome.CONNECTION_CLOSED: Fate(
        "connection closed", Group.FAILED, "the server closed the connection before its answer was whole"
    ),
    Outcome.STREAM_CUT_OFF: Fate(
        "stream cut off",
        Group.FAILED,
        "a stream that stopped before `[DONE]` or its protocol's own end: [streams.md](streams.md)",
    ),
    Outcome.CONNECTION_FAILED: Fate(
        "connection failed", Group.FAILED, "the name has no address, or another network error"
    ),
    Outcome.TLS_FAILED: Fate(
        "TLS failed", Group.FAILED, "the certificate or name does not verify, or the server speaks no TLS"
    ),
    Outcome.MALFORMED_HTTP: Fate(
        "malformed HTTP",
        Group.FAILED,
        "the answer is not HTTP/1.1, switches protocols, or has more than 64 KiB around its body",
    ),
    Outcome.ANSWER_TOO_LARGE: Fate("answer too large", Group.FAILED, "a body above `--max-answer`"),
    Outcome.UNAUTHORIZED: Fate("unauthorized", Group.FAILED, "401 or 403"),
    Outcome.NOT_FOUND: Fate("not found", Group.FAILED, "404"),
    Outcome.OTHER_STATUS: Fate(
        "unexpected status", Group.FAILED, "any other status; for a redirect, the example names its target"
    ),
    Outcome.CUT_OFF: Fate("cut off", Group.CUT_OFF, "in flight when the run ended and the drain was over"),
    Outcome.NOT_SIGNED_IN: Fate(
        "not signed in",
        Group.FAILED,
        "the sign-in had ended and could not be renewed; the call was not sent",
    ),
    Outcome.OTHER_ERROR: Fate("other error", Group.FAILED, "anything else"),
    # A message that nobody answers: it was sent, and reported as good.
    Outcome.NO_RESPONSE_TIME: Fate(
        "no response time",
        Group.VALID,
        "a request of another kind of user, reported without a time: [locustfiles.md](locustfiles.md)",
    ),
}
"""Every outcome, in the order in which docs/client.md explains them."""

UNANSWERED = frozenset(
    {
        Outcome.CLIENT_TIMEOUT,
        Outcome.CONNECT_TIMEOUT,
        Outcome.CONNECTION_REFUSED,
        Outcome.CONNECTION_RESET,
        Outcome.CONNECTION_CLOSED,
        Outcome.CONNECTION_FAILED,
        Outcome.CUT_OFF,
        Outcome.NOT_SIGNED_IN,
    }
)
"""Outcomes of calls to which nobody said a whole answer, good or bad."""

BY_LABEL: dict[str, Outcome] = {outcome.label: outcome for outcome in Outcome}
FORMER = {"not signed": Outcome.NOT_SIGNED_IN.label}
"""Labels in folders of earlier versions, and what they are called today."""


def label_of_today(label: str) -> str:
    """The label that stands for `label`, which an earlier version may have written."""
    return FORMER.get(label, label)
