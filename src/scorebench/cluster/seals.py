"""Messages that only who knows the secret can make, each accepted once. Pure: knows bytes, and no socket.

A message is sealed by HMAC-SHA256 over who sends it, both conversations, its number and its content. Each
process draws the name of its conversation at random, and the other side repeats it: what was recorded in
another run names another conversation, and is refused. A number must be larger than the last, so nothing
counts twice.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

MASTER, WORKER = b"master", b"worker"
LEAST_SECRET = 16
"""Characters of a secret. Who records one message can try shorter ones at leisure."""
NOBODY = bytes(16)
"""Stands for a conversation that is not known yet."""
_HEAD = struct.Struct(">4s16s16sQ32s")
_MAGIC = b"sbm1"


class Forged(Exception):
    """A message that nobody who knows the secret has sent just now."""


@dataclass
class _Peer:
    talk: bytes = NOBODY
    sent: int = 0
    heard: int = 0
    knows_us: bool = False


class Seals:
    """One process's end of its conversations, with each peer by its name."""

    def __init__(self, secret: bytes, role: bytes, talk: bytes) -> None:
        """`talk` are 16 random bytes that name this process's conversation."""
        self._secret, self._role, self._talk = secret, role, talk
        self._peers: dict[bytes, _Peer] = {}

    def seal(self, worker: bytes, content: bytes) -> bytes:
        """`content` for the peer; `worker` is the worker's name, on both ends."""
        peer = self._peers.setdefault(worker, _Peer())
        peer.sent += 1
        number = peer.sent.to_bytes(8, "big")
        mark = self._mark(self._role, worker, self._talk, peer.talk, number, content)
        return _HEAD.pack(_MAGIC, self._talk, peer.talk, peer.sent, mark) + content

    def opened(self, worker: bytes, message: bytes) -> bytes:
        """The content of a message from the peer. Raises Forged."""
        if len(message) < _HEAD.size:
            raise Forged("it is not sealed")
        magic, theirs, ours, number, mark = _HEAD.unpack_from(message)
        if magic != _MAGIC:
            raise Forged("it is not sealed")
        content = message[_HEAD.size :]
        role = WORKER if self._role == MASTER else MASTER
        expected = self._mark(role, worker, theirs, ours, number.to_bytes(8, "big"), content)
        if not hmac.compare_digest(mark, expected):
            raise Forged("it was sealed with another secret, or changed")
        self._accept(self._peers.setdefault(worker, _Peer()), theirs, ours, number)
        return content

    def _accept(self, peer: _Peer, theirs: bytes, ours: bytes, number: int) -> None:
        greets = self._role == MASTER and ours == NOBODY and not peer.knows_us
        if not greets and ours != self._talk:
            raise Forged("it belongs to another run")
        if peer.talk not in (NOBODY, theirs):
            raise Forged("it belongs to another process")
        if number <= peer.heard:
            raise Forged("it came before")
        peer.talk, peer.heard, peer.knows_us = theirs, number, ours == self._talk

    def _mark(self, *parts: bytes) -> bytes:
        """Over the role of who sends, the worker's name, both conversations, the number and the content."""
        made = hmac.new(self._secret, digestmod=hashlib.sha256)
        for part in parts:
            made.update(len(part).to_bytes(8, "big"))
            made.update(part)
        return made.digest()
