"""Whether the server rejects every call since the first: then the load shows nothing. Knows answers alone.

A rejection is an answer 4xx that the same request will get again; 408, 425 and 429 ask for another try.
"""

from __future__ import annotations

from collections.abc import Callable

from scorebench.answers.answer import described_in_full
from scorebench.answers.http_message import Answer

_TRY_AGAIN = (408, 425, 429)


class Rejections:
    """`message` is the first rejection in words, until another answer sets `is_ruled_out`."""

    def __init__(self, hidden: Callable[[bytes], bytes]) -> None:
        """`hidden` takes credentials out of what is shown."""
        self._hidden = hidden
        self.is_ruled_out = False
        self.message: str | None = None

    def see(self, answer: Answer) -> None:
        """An answer whose bytes were not known to be valid: the first valid one is among them."""
        if self.is_ruled_out:
            return
        if not 400 <= answer.status < 500 or answer.status in _TRY_AGAIN:
            self.is_ruled_out, self.message = True, None
        elif self.message is None:
            self.message = self._hidden(described_in_full(answer).encode("utf-8", "replace")).decode()
