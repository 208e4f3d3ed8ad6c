"""One call outside of a run: sent, answered, judged, and kept whole. Knows the client; shows nothing."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter as clock
from typing import TYPE_CHECKING

from scorebench.answers.answer import Judge
from scorebench.answers.http_message import CallFailed
from scorebench.answers.outcome import Outcome
from scorebench.answers.readings import expected
from scorebench.client.connection import Connection
from scorebench.client.exchange import OneCall
from scorebench.client.probe import server_version
from scorebench.client.tls import client_context
from scorebench.client.watchdog import Watchdog

if TYPE_CHECKING:
    from scorebench.options.settings import Settings
    from scorebench.payloads.payload import Payload


def call(settings: Settings, payload: Payload, number: int = 0) -> OneCall:
    """Send body `number`. InputError where no server listens or a credential is missing."""
    access = settings.credentials.load()
    body, content_type = payload.bodies[number], payload.content_type_of(number)
    given = access.headers(body, content_type)
    message = access.target.request(body, content_type, given)
    wanted = expected(payload.answers)
    secure = settings.target.scheme == "https"
    tls = client_context(settings.ca_file, settings.certificate) if secure else None
    server_version(settings.target, settings.ca_file, settings.certificate)
    connection = Connection(
        settings.target,
        Watchdog(),
        timeout_s=settings.timeout_s,
        connect_timeout_s=settings.connect_timeout_s,
        max_answer_bytes=settings.max_answer_bytes,
        tls=tls,
    )
    done = OneCall(
        url=settings.target.shown,
        headers={"Content-Type": content_type} | dict.fromkeys(given, "(hidden)"),
        body=body,
        outcome=Outcome.VALID,
        took_s=0.0,
        valid_if=wanted.reading.words,
    )
    judge = Judge(wanted.counts(payload.rows), wanted.reading, nulls=payload.null_predictions)
    began_s = clock()
    try:
        answer = connection.call(message)
    except CallFailed as failure:
        problem = access.hidden(str(failure).encode("utf-8", "replace")).decode("utf-8", "replace")
        return replace(done, took_s=clock() - began_s, outcome=failure.outcome, problem=problem)
    finally:
        connection.close()
    took_s = clock() - began_s
    assert answer is not None  # nothing was expected byte for byte
    outcome, _, why = judge.compare(number, answer)
    answered = access.hidden(answer.body)
    return replace(done, took_s=took_s, outcome=outcome, answer=answer, answered=answered, problem=why)
