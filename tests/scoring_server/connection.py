"""One connection of the fake server: reads calls, sends their replies. Knows HTTP/1.1's bytes; no queue."""

from __future__ import annotations

import socket
import ssl
import struct
from collections import deque
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic, time
from typing import TYPE_CHECKING

from tests.scoring_server.answers import Head, probe
from tests.scoring_server.behaviour import Record
from tests.scoring_server.replies import INVALID, NO_METHOD, NOT_FOUND, End, Read, Reply

if TYPE_CHECKING:
    from tests.scoring_server.loop import Loop

PIECE_BYTES = 1 << 18
SO_TIMESTAMPNS = 35  # Linux's number; Python has no name for it
STAMP = struct.Struct("@ll")
STAMP_ROOM_BYTES = socket.CMSG_SPACE(STAMP.size)
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """Serves one call at a time. Bytes that come before the answer has left wait in the inbox."""

    def __init__(self, loop: Loop, sock: socket.socket, number: int) -> None:
        self.loop = loop
        self.number = number
        self._sock = sock
        self._shaking = isinstance(sock, ssl.SSLSocket)
        self._calls = 0
        self._inbox = bytearray()
        self._inbox_s = 0.0  # when the first byte in the inbox came
        self._record: Record | None = None
        self._head: Head | None = None
        self._reply = NOT_FOUND
        self._out = memoryview(b"")
        self._pieces: deque[bytes] = deque()
        self._deaf = False  # what still comes is thrown away
        self._closed = False

    def ready(self, mask: int) -> None:
        """The selector's word that the socket can be read or written."""
        if self._shaking and not self._shake():
            return
        if mask & EVENT_WRITE:
            self._push()
        if mask & EVENT_READ and not self._closed:
            self._read()

    def _shake(self) -> bool:
        assert isinstance(self._sock, ssl.SSLSocket)
        try:
            self._sock.do_handshake()
        except NOT_NOW:
            return False
        except OSError:  # the client did not like the certificate, or speaks no TLS
            self._close()
            return False
        self._shaking = False
        return True

    def _read(self) -> None:
        try:
            data, waited_s = self._receive()
        except NOT_NOW:
            return
        except OSError:
            data, waited_s = b"", 0.0
        now_s = monotonic()
        if not data:
            self._left(now_s)
        elif not self._deaf:
            if not self._inbox:
                self._inbox_s = now_s - waited_s
            self._inbox += data
            self._advance(now_s)

    def _receive(self) -> tuple[bytes, float]:
        """What came, and how long it had lain in the kernel: 0 where the kernel does not say."""
        if isinstance(self._sock, ssl.SSLSocket):
            data = self._sock.recv(PIECE_BYTES)
            while self._sock.pending():
                data += self._sock.recv(PIECE_BYTES)
            return data, 0.0
        data, told, _, _ = self._sock.recvmsg(PIECE_BYTES, STAMP_ROOM_BYTES)
        for level, kind, stamp in told:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, nanoseconds = STAMP.unpack(stamp)
                return data, max(0.0, time() - (seconds + nanoseconds / 1e9))
        return data, 0.0

    def _left(self, now_s: float) -> None:
        if self._record and self._record.answered_s is None:
            self._record.client_left_s = now_s
        self._close()

    def _advance(self, now_s: float) -> None:
        """Go as far with the inbox as it reaches."""
        if self._record is None:
            self._record = Record(self.number, self._calls, self._inbox_s)
            self.loop.log.append(self._record)
        if self._head is None:
            end = self._inbox.find(b"\r\n\r\n")
            if end < 0:
                return
            data = bytes(self._inbox[: end + 4])
            del self._inbox[: end + 4]
            self._begin(self._record, data, now_s)
        if self._head and not self._deaf and self._record and self._record.complete_s is None:
            self._complete(self._record, self._head, now_s)

    def _begin(self, record: Record, data: bytes, now_s: float) -> None:
        """The head is in: number the call, find its reply, send it now if it does not wait for the body."""
        try:
            head = self._head = self.loop.answers.head(data)
        except ValueError:
            self._deaf, self._reply, record.reply = True, INVALID, INVALID
            self._send(INVALID.message([]))
            return
        record.method, record.path, record.headers = head.method, head.path, head.headers
        self._reply = record.reply = self._find_reply(record, head)
        if head.body_bytes is None:
            self._reply = record.reply = INVALID
        if self._reply.read is not Read.ALL or head.body_bytes is None:
            self._deaf = True
            self._send(self._reply.message([]))
        elif head.headers.get("expect", "").lower() == "100-continue":
            self._sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _find_reply(self, record: Record, head: Head) -> Reply:
        loop, behaviour = self.loop, self.loop.behaviour
        if head.method != "POST":
            return probe(head, behaviour.version) if head.method == "GET" else NO_METHOD
        record.number = loop.calls
        loop.calls += 1
        known = behaviour.default if head.path == behaviour.path else NOT_FOUND
        return behaviour.reply(record.number, head.path) or known

    def _complete(self, record: Record, head: Head, now_s: float) -> None:
        """The body is in, if it is: take it out of the inbox, serve the call and plan its answer."""
        size = head.body_bytes or 0
        if len(self._inbox) < size:
            return
        body = bytes(self._inbox[:size])
        del self._inbox[:size]
        if self._inbox:
            self._inbox_s = now_s
        record.complete_s = now_s
        wire = self._scored(record, head, body)
        if record.due_s is None or record.due_s <= now_s:
            self._send(wire)
        else:
            self.loop.at(record.due_s, lambda: self._send(wire))

    def _scored(self, record: Record, head: Head, body: bytes) -> bytes:
        loop, reply = self.loop, self._reply
        assert record.complete_s is not None
        if record.number is None:
            record.body, record.due_s = body, loop.station.unfrozen(record.complete_s)
            return reply.message([])
        answer = loop.answers.answer(reply, head.headers.get("content-type", ""), body)
        record.body, record.rows = answer.body, answer.rows
        self._reply = record.reply = answer.reply
        record.service_s = next(loop.services_s) if reply.service_s is None else reply.service_s
        record.started_s, record.due_s = loop.station.serve(record.complete_s, record.service_s)
        return answer.wire

    def _send(self, wire: bytes) -> None:
        if self._closed:
            return
        if self._reply.stream:
            self._pieces.extend(self._reply.wire_pieces())
            wire = self._pieces.popleft()
        elif self._reply.cut is not None:
            wire = wire[: self._reply.cut]
        size = self._reply.piece_bytes
        if size:
            self._pieces.extend(wire[at : at + size] for at in range(0, len(wire), size))
            wire = self._pieces.popleft() if self._pieces else b""
        self._out = memoryview(wire)
        self._push()

    def _push(self) -> None:
        """Send what can be sent now; the rest when the socket, or the pause between pieces, lets it."""
        if self._closed:
            return
        now_s = monotonic()  # before the send: the client cannot have had the answer earlier
        while self._out:
            try:
                now_s = monotonic()
                self._out = self._out[self._sock.send(self._out) :]
            except NOT_NOW:
                self._watch(EVENT_READ | EVENT_WRITE)
                return
            except OSError:
                self._left(now_s)
                return
        if self._reply.stream and self._record is not None:
            self._record.pieces_s.append(now_s)
        if self._pieces:
            self.loop.at(now_s + self._reply.pause_s, self._next_piece)
        else:
            self._sent(now_s)

    def _next_piece(self) -> None:
        self._out = memoryview(self._pieces.popleft())
        self._push()

    def _sent(self, now_s: float) -> None:
        reply, record = self._reply, self._record
        assert record is not None
        if reply.cut is None:
            record.answered_s, record.status = now_s, None if reply.raw is not None else reply.status
        if reply.end is End.RESET:
            self._close(reset=True)
        elif reply.end is End.CLOSE:
            self._part()
        elif reply.cut is not None:
            self._deaf = True  # the client waits for the rest, in vain
        else:
            self._next(now_s)

    def _part(self) -> None:
        """Close. Where the reply says so, read on first: unread bytes would turn the close into a reset."""
        if self._reply.read is Read.HEAD_THEN_REST:
            self._sock.shutdown(socket.SHUT_WR)
        else:
            self._close()

    def _next(self, now_s: float) -> None:
        if self._reply.read is Read.HEAD:
            self.loop.selector.unregister(self._sock)  # so that a client with a long body is left sending
        if self._reply.read is not Read.ALL:
            return
        self._record = self._head = None
        self._calls += 1
        self._watch(EVENT_READ)
        if self._inbox:
            self._advance(now_s)
        elif self.loop.behaviour.idle_close_s is not None:
            calls = self._calls
            self.loop.at(now_s + self.loop.behaviour.idle_close_s, lambda: self._close_if_idle(calls))

    def _close_if_idle(self, calls: int) -> None:
        if self._calls == calls and self._record is None:
            self._close()

    def _watch(self, mask: int) -> None:
        if self.loop.selector.get_key(self._sock).events != mask:
            self.loop.selector.modify(self._sock, mask, self.ready)

    def _close(self, reset: bool = False) -> None:
        if self._closed:
            return
        self._closed = True
        with suppress(KeyError):
            self.loop.selector.unregister(self._sock)
        if reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif isinstance(self._sock, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                self._sock.unwrap()
        self._sock.close()
