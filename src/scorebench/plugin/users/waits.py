"""How long the calls in flight have waited until now, for who ends a run early. Knows a clock; no figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from time import perf_counter as clock

from scorebench.answers.http_message import Answer

Send = Callable[[bytes, bytes | None, float], Answer | None]


class Waits:
    """The calls in flight of some connections: when each was sent, on `time.perf_counter`'s clock."""

    def __init__(self) -> None:
        self._sent_s: dict[int, float] = {}
        self._connections = 0

    @property
    def sent_s(self) -> list[float]:
        return list(self._sent_s.values())

    def following(self, send: Send) -> Send:
        """What one connection sends by; a call that is sent by the result is in flight until it returns."""
        self._connections += 1
        sent_s, connection = self._sent_s, self._connections

        def followed(request: bytes, expected: bytes | None, now_s: float) -> Answer | None:
            sent_s[connection] = now_s
            try:
                return send(request, expected, now_s)
            finally:
                del sent_s[connection]

        return followed


def by_second(sent_s: Iterable[float], from_s: float) -> dict[int, int]:
    """{whole seconds that they have waited: calls}, from `from_s` on at the earliest; no call before it."""
    now_s = clock()
    return Counter(int(now_s - max(one, from_s)) for one in sent_s) if now_s >= from_s else {}
