"""Before a test: each worker says what it would send, and with what; a difference is refused.

Knows our messages and Locust's master; nothing of what is dealt, or of what happens then.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import gevent
import msgspec
from locust.runners import MasterRunner

from scorebench.errors import InputError
from scorebench.options.names import value_of
from scorebench.options.option import Option
from scorebench.options.settings import Settings
from scorebench.options.table import OPTIONS
from scorebench.payloads.payload import Payload
from scorebench.plugin.lifecycle import messages, surroundings
from scorebench.plugin.lifecycle.asked import RUN_TIME, Asked
from scorebench.plugin.lifecycle.messages import Hello, Prepare, Ready
from scorebench.report.words import plain

if TYPE_CHECKING:
    from locust.env import Environment

DIGEST = "the payload's digest"
PATIENCE_S = 30.0
"""After so long a worker that makes ready is named: large data takes minutes, a broken one for ever."""
HELLO_S = 30.0
"""How long after Locust's own greeting a worker may take for ours: it has the locustfile to load."""

logger = logging.getLogger("scorebench")


class Muster:
    """Asks workers whether they can run a test as it is asked for."""

    def __init__(self, runner: MasterRunner, asked: Asked) -> None:
        self._runner, self._asked = runner, asked
        self.known: dict[str, Hello] = {}
        """The workers that have scorebench, by Locust's names for them."""
        self._ready: dict[str, Ready] = {}
        self._test = 0
        runner.register_message(messages.HELLO, self._on_hello)
        runner.register_message(messages.READY, self._on_ready)

    def gather(self, names: Iterable[str]) -> None:
        """Have all of them make ready for the next test. InputError says what is different, and where."""
        self._test += 1
        self._ready.clear()
        names = list(names)
        for asking in [gevent.spawn(self.fault, name) for name in names]:
            if fault := asking.get():
                raise InputError(fault)

    def fault(self, name: str) -> str | None:
        """What keeps this worker from the test, once it has made ready; None where it may send."""
        with gevent.Timeout(HELLO_S, False):
            while name not in self.known:
                gevent.sleep(0.02)
        if name not in self.known:
            return (
                f"worker {name}: does not answer as one of scorebench; start it with this locustfile, and "
                "with this version of scorebench; where Locust is a library, call "
                "scorebench.plugin.install(environment) in it before the test starts"
            )
        self._ask(name)
        asked_s, is_told = time.monotonic(), False
        while not self._is_ready(name):
            if self._is_lost(name):
                return f"worker {name}: was lost while it made ready; find out why it ended, and run again"
            if not is_told and time.monotonic() - asked_s > PATIENCE_S:
                is_told = True
                logger.warning("scorebench: worker %s still makes ready after %.0f s", name, PATIENCE_S)
            gevent.sleep(0.02)
        return self._difference(name)

    def _ask(self, name: str) -> None:
        self._ready[name] = Ready(test=0)
        settings, host = self._asked.settings(), self._runner.environment.host
        what = messages.saying(Prepare(self._test, host, self._asked.payload if settings.hand_out else None))
        options = {} if self._asked.options is None else vars(self._asked.options)
        # Locust keeps its own --run-time from workers; their schedules end with it.
        options = options | {RUN_TIME: settings.run_time_s}
        self._runner.send_message(messages.PREPARE, what | {"options": options}, name)

    def _is_ready(self, name: str) -> bool:
        return name in self._ready and self._ready[name].test == self._test

    def _is_lost(self, name: str) -> bool:
        return any(one.id == name for one in self._runner.clients.missing)

    def _difference(self, name: str) -> str | None:
        ready, mine = (
            self._ready[name],
            ready_for(self._runner.environment, self._asked, self._asked.settings(), self._test),
        )
        host = f"worker {name}"
        if ready.fault is not None:
            return f"{host}: {plain(ready.fault, 500)}"
        for what, found, expected in (
            *_pairs("the version of", ready.versions, mine.versions),
            *_pairs("its option", ready.options, mine.options),
            (DIGEST, ready.digest, mine.digest),
        ):
            if found != expected:
                return (
                    f"{host}: {what} is {plain(str(found), 200)}; expected {expected}, as its master has it. "
                    "All workers must send the same, in the same way: give it the same files and packages."
                    + (_other_encoders(ready, mine) if what == DIGEST else "")
                )
        return None

    def _on_hello(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 (Locust's names)
        self.known[msg.node_id] = messages.content(msg, Hello)

    def _on_ready(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        if msg.node_id not in self._ready:
            return  # nobody asked it
        try:
            self._ready[msg.node_id] = messages.content(msg, Ready)
        except (ValueError, KeyError, TypeError) as problem:  # and not waited for any longer
            fault = f"what it would send can't be read ({problem}); start it with this version of scorebench"
            self._ready[msg.node_id] = Ready(self._test, fault=fault)


def ready_for(environment: Environment, asked: Asked, settings: Settings, test: int) -> Ready:
    """What this process would send, and with what; its payload is encoded."""
    return Ready(
        test,
        digest=_digest(asked.payload) if asked.needs_payload and asked.payload else None,
        versions=surroundings.versions(),
        encoders=surroundings.versions(surroundings.ENCODERS),
        options=_as_texts(environment, settings),
    )


def _digest(payload: Payload) -> str:
    """Of all that is sent, and of what is expected of the answers."""
    content = (payload.digest, payload.rows, payload.answers, payload.null_predictions, payload.times_s)
    return hashlib.sha256(msgspec.msgpack.encode((*content, payload.stream))).hexdigest()


def _as_texts(environment: Environment, settings: Settings) -> dict[str, str]:
    """What is asked for, as texts that two processes can compare and anybody may read."""
    options = environment.parsed_options
    texts = {option.flag: _as_text(option, value_of(options, option.name)) for option in OPTIONS}
    names = sorted(cls.__name__ for cls in environment.user_classes)
    return texts | {"--run-time": repr(settings.run_time_s), "user classes": ", ".join(names)}


def _as_text(option: Option, value: object) -> str:
    text = repr(value)
    return hashlib.sha256(text.encode()).hexdigest() if option.hides else text


def _other_encoders(found: Ready, mine: Ready) -> str:
    """Which packages may have made other bytes of the same rows, as a sentence to add; empty where none."""
    names = sorted({*found.encoders, *mine.encoders})
    others = [
        f"{name} {plain(found.encoders.get(name, 'missing'), 50)} (here {mine.encoders.get(name, 'missing')})"
        for name in names
        if found.encoders.get(name) != mine.encoders.get(name)
    ]
    return f" It encodes with {', '.join(others)}." if others else ""


def _pairs(
    what: str, found: dict[str, str], expected: dict[str, str]
) -> list[tuple[str, str | None, str | None]]:
    return [(f"{what} {name}", found.get(name), expected.get(name)) for name in expected]
