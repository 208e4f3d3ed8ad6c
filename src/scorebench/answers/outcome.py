"""What can become of a call: one name each, used in every output.

Knows the names and how they are accounted for; nothing of how an outcome is found out.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Group(StrEnum):
    """How a call is accounted for: due = valid + invalid + failed + cut off + never sent."""

    VALID = "valid"
    INVALID = "invalid"
    """Answered with 200, but not with one parseable prediction a row."""
    FAILED = "failed"
    """Refused, broken, too late, answered with an error, or not to be signed and so not sent."""
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
    NOT_SIGNED = 25
    NO_RESPONSE_TIME = 26

    @property
    def label(self) -> str:
        """The name that every table, file and page prints."""
        return LABELS[self]

    @property
    def group(self) -> Group:
        """Where it stands in the account of a run."""
        return _GROUPS.get(self, Group.FAILED)


LABELS: dict[Outcome, str] = {
    Outcome.VALID: "valid",
    Outcome.WRONG_COUNT: "wrong number of predictions",
    Outcome.NOT_PARSEABLE: "predictions not parseable",
    Outcome.NAN_PREDICTION: "prediction is NaN",
    Outcome.REJECTED: "rejected",
    Outcome.MODEL_ERROR: "model error",
    Outcome.UNSUPPORTED_MEDIA_TYPE: "unsupported media type",
    Outcome.TOO_LARGE: "too large",
    Outcome.OVERLOADED: "overloaded",
    Outcome.GATEWAY_ERROR: "gateway error",
    Outcome.SERVER_TIMEOUT: "server timeout",
    Outcome.CLIENT_TIMEOUT: "client timeout",
    Outcome.CONNECT_TIMEOUT: "connect timeout",
    Outcome.CONNECTION_REFUSED: "connection refused",
    Outcome.CONNECTION_RESET: "connection reset",
    Outcome.CONNECTION_CLOSED: "connection closed",
    Outcome.CONNECTION_FAILED: "connection failed",
    Outcome.TLS_FAILED: "TLS failed",
    Outcome.MALFORMED_HTTP: "malformed HTTP",
    Outcome.ANSWER_TOO_LARGE: "answer too large",
    Outcome.UNAUTHORIZED: "unauthorized",
    Outcome.NOT_FOUND: "not found",
    Outcome.OTHER_STATUS: "unexpected status",
    Outcome.CUT_OFF: "cut off",
    Outcome.OTHER_ERROR: "other error",
    Outcome.NOT_SIGNED: "not signed",
    Outcome.NO_RESPONSE_TIME: "no response time",
}

_GROUPS: dict[Outcome, Group] = {
    Outcome.VALID: Group.VALID,
    Outcome.NO_RESPONSE_TIME: Group.VALID,  # a message that nobody answers: sent, and reported as good
    Outcome.WRONG_COUNT: Group.INVALID,
    Outcome.NOT_PARSEABLE: Group.INVALID,
    Outcome.NAN_PREDICTION: Group.INVALID,
    Outcome.CUT_OFF: Group.CUT_OFF,
}

BY_LABEL: dict[str, Outcome] = {label: outcome for outcome, label in LABELS.items()}
