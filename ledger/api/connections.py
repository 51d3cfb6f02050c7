"""Connections: what each may cost while it sends, while it is answered, and how many there may be.

    head ──▶ body ──▶ nothing ──▶ head ...        what the server waits for next
      at most 32 KiB   1 KiB in 15 s              of one who sends
      whole in 15 s
                       some byte drained in 30 s  of one who is answered

One timer a connection looks at these when the first of them can be over, so a request costs none.
"""

import asyncio
import socket
import struct
from enum import Enum, auto
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ledger.api import refusals
from ledger.api.transports import Answering, Flow
from ledger.metrics.http import HttpMetrics

# What framing may take beside a body: chunks of a single byte have five beside it. Anything else between
# two pieces of a body, or after it, is an extension or a trailer that nobody asked for.
_FRAMING_PER_BODY_BYTE = 8
_SHORTEST_LOOK_S = 0.01
_LINGER_NOT = struct.pack("ii", 1, 0)


class Bounds(msgspec.Struct, frozen=True):
    """What a connection may cost. `window_bytes` must come in every `window_s` of a body."""

    most_connections: int = 16_384
    head_bytes: int = 32 * 1024
    head_s: float = 15
    window_bytes: int = 1024
    window_s: float = 15
    drain_s: float = 30
    linger_s: float = 15
    most_pipelined: int = 32


class Awaited(Enum):
    """What a connection is to send next."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


def connection_class(
    bounds: Bounds, metrics: HttpMetrics | None = None
) -> type["BoundedConnection"]:
    """The protocol of a server whose connections have these bounds, and are counted."""
    metrics = metrics or HttpMetrics()
    metrics.most_connections = bounds.most_connections
    return type("BoundConnection", (BoundedConnection,), {"bounds": bounds, "metrics": metrics})


class BoundedConnection(HttpToolsProtocol):
    """A connection with a bound on its head, on its patience and on its number."""

    bounds = Bounds()
    metrics = HttpMetrics()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection in, or send it away if there are too many."""
        self._is_deaf = False
        self._timer: asyncio.TimerHandle | None = None
        if len(self.connections) >= self.bounds.most_connections:
            self.transport, self._is_deaf = transport, True
            self.metrics.refused.count(refusals.TOO_MANY.code)
            transport.write(refusals.document(refusals.TOO_MANY))
            transport.close()
            return
        super().connection_made(transport)
        self.metrics.open_connections += 1
        self.flow = Flow(transport, self._begin_window)
        self._answering = Answering(transport, self.loop, self._close_gently)
        self._awaited = Awaited.HEAD
        self._may_stay = True
        self._refusal: refusals.Refusal | None = None
        self._read_bytes = 0
        self._window_bytes = 0
        self._overhead_bytes = 0
        self._drained_bytes = -1
        self._linger_until_s: float | None = None
        self._since_s = self._drained_at_s = self.loop.time()
        self._look_at(self._since_s + self.bounds.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it, and the timers that hold it."""
        if self._timer is not None:
            self._timer.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        if self.flow is not None:
            self.metrics.open_connections -= 1
            # They lead back here; the collector of such circles comes seldom, and connections may be many.
            self.cycle = None  # type: ignore[assignment]
            self.pipeline.clear()
            del self.flow, self._answering

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless nobody listens any more."""
        if self._is_deaf:
            return
        if self._awaited is Awaited.NOTHING:
            self._await(Awaited.HEAD)
        self._read_bytes = len(data)
        self._window_bytes += self._read_bytes
        self._overhead_bytes += self._read_bytes
        super().data_received(data)
        if self._overhead_bytes > self.bounds.head_bytes and not self._is_deaf:
            is_head = self._awaited is Awaited.HEAD
            self._refuse(refusals.HEAD_TOO_LARGE if is_head else refusals.FRAMING_TOO_LARGE)

    def on_message_begin(self) -> None:
        """A head begins, perhaps in the middle of what was read."""
        if self._awaited is Awaited.NOTHING:
            self._await(Awaited.HEAD)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Let the request in, if its head is not too long."""
        if max(self._overhead_bytes, self._read_bytes) > self.bounds.head_bytes:
            self._require_small_head()
        if len(self.pipeline) >= self.bounds.most_pipelined:
            raise ValueError("more requests wait on one connection than anybody needs")
        super().on_headers_complete()
        cycle: Any = self.cycle
        cycle.transport = self._answering
        # An answer that begins before the body is whole ends the connection: the rest has no reader.
        self._may_stay, cycle.keep_alive = cycle.keep_alive, False
        self.headers = []  # of trailers, which are not the request's
        self._await(Awaited.BODY)

    def on_body(self, body: bytes) -> None:
        """A piece of the body justifies the framing around it."""
        justified = len(body) * _FRAMING_PER_BODY_BYTE
        self._overhead_bytes = max(0, self._overhead_bytes - justified)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._may_stay
        self._awaited, self._overhead_bytes = Awaited.NOTHING, 0

    def on_response_complete(self) -> None:
        """Go on with the next request, unless this was the last."""
        if not self._is_deaf:
            super().on_response_complete()

    def pause_writing(self) -> None:
        """The client reads less than there is: from now on it is timed, not from the next look at it."""
        super().pause_writing()
        now_s = self.loop.time()
        end_s = self._judge_reader(now_s)
        if self._timer is not None and end_s < self._timer.when():
            self._look_at(end_s)

    def shutdown(self) -> None:
        """Answer what has come, and end."""
        self._answering.flush()
        self._may_stay = False
        super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's words, not ours
        """Refuse what the parser or a bound has refused."""
        self._refuse(self._refusal or refusals.MALFORMED)

    def _await(self, awaited: Awaited) -> None:
        self._awaited = awaited
        self._overhead_bytes = 0
        self._begin_window()

    def _begin_window(self) -> None:
        self._window_bytes = 0
        self._since_s = self.loop.time()

    def _require_small_head(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.bounds.head_bytes:
            self._refusal = refusals.HEAD_TOO_LARGE
            raise ValueError(refusals.HEAD_TOO_LARGE.detail)

    def _look_at(self, when_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(when_s, self._look)

    def _look(self) -> None:
        """End a connection that took too long, or look again when it next can have."""
        now_s = self.loop.time()
        reader_end_s = self._judge_reader(now_s)
        sender_end_s = self._judge_sender(now_s)
        self._look_at(max(min(reader_end_s, sender_end_s), now_s + _SHORTEST_LOOK_S))

    def _judge_reader(self, now_s: float) -> float:
        """Cut one who does not take his answer, even where it is written and only the close is left."""
        waiting_bytes = self.transport.get_write_buffer_size()
        drained_bytes = self._answering.written_bytes - waiting_bytes if waiting_bytes else -1
        if drained_bytes != self._drained_bytes or not waiting_bytes:
            self._drained_bytes, self._drained_at_s = drained_bytes, now_s
        end_s = self._drained_at_s + self.bounds.drain_s
        if now_s >= end_s:
            self._cut()
        return end_s

    def _cut(self) -> None:
        """Close, and let the kernel forget what it holds for the client, else it goes on offering that."""
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT
        )
        self.transport.abort()

    def _judge_sender(self, now_s: float) -> float:
        """Refuse one who does not send what he began."""
        if self._linger_until_s is not None:
            if now_s >= self._linger_until_s:
                self.transport.close()
                return now_s + self.bounds.drain_s
            return self._linger_until_s
        if self._awaited is Awaited.NOTHING or self.flow.read_paused:
            return now_s + min(self.bounds.head_s, self.bounds.window_s)
        is_head = self._awaited is Awaited.HEAD
        end_s = self._since_s + (self.bounds.head_s if is_head else self.bounds.window_s)
        if now_s < end_s:
            return end_s
        if not is_head and self._window_bytes >= self.bounds.window_bytes:
            self._begin_window()
            return now_s + self.bounds.window_s
        self._refuse(refusals.HEAD_TOO_SLOW if is_head else refusals.BODY_TOO_SLOW)
        return now_s + self.bounds.linger_s

    def _refuse(self, problem: refusals.Refusal) -> None:
        """Say why and close; where that would stand in the middle of another answer, only close."""
        self._is_deaf = True
        self.metrics.refused.count(problem.code)
        cycle = self.cycle
        is_body = self._awaited is Awaited.BODY
        is_unanswered = cycle is not None and not cycle.response_complete
        if self.pipeline or (is_unanswered and (not is_body or cycle.response_started)):
            self.transport.abort()
            return
        if is_unanswered:  # whoever waits for the body need not, and need not answer either
            cycle.disconnected = True
            cycle.message_event.set()
        self._answering.write(refusals.document(problem))
        self._close_gently()

    def _close_gently(self) -> None:
        """Close; where the client still sends, first give it time to read the answer.

        A socket that is closed with unread bytes in it resets the connection, and the answer may go with
        it. What comes meanwhile is dropped unread.
        """
        # Whoever asked may be gone, and all that was theirs forgotten.
        if self.transport.is_closing():
            return
        self._answering.flush()
        if self._awaited is Awaited.NOTHING:
            self.transport.close()
            return
        self._is_deaf = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._linger_until_s = self.loop.time() + self.bounds.linger_s
        self._look_at(self._linger_until_s)
