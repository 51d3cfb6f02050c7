"""Records that come in all the while, and what was answered by when."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import httpx
import msgspec

BATCH_RECORDS = 100
_SENDERS = 2
_PAUSE_S, _PAUSE_AFTER_REFUSAL_S = 0.1, 0.2
_NDJSON = {"Content-Type": "application/x-ndjson"}
_PATIENCE_S = 30


class Sent(msgspec.Struct):
    """A batch that was sent once. `begun` and `acknowledged` count the marks that were set before."""

    lines: Sequence[bytes]
    begun: int
    acknowledged: int | None = None


class Traffic:
    """Senders that send new records without end, each once. `lines` may be exchanged meanwhile."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines = lines
        self.sent: list[Sent] = []
        self._marks = 0
        self._is_over = False

    def mark(self) -> int:
        """Set a mark between what has happened and what has not."""
        self._marks += 1
        return self._marks

    def acknowledged_before(self, mark: int) -> list[bytes]:
        """Records whose acknowledgement had come when a mark was set."""
        return _lines(
            each for each in self.sent if each.acknowledged is not None and each.acknowledged < mark
        )

    def begun_since(self, mark: int) -> list[bytes]:
        """Records that were not yet sent when a mark was set."""
        return _lines(each for each in self.sent if each.begun >= mark)

    async def until_acknowledged(self, records: int) -> None:
        """Wait until so many more records are acknowledged."""
        wanted = len(self.acknowledged_before(self.mark())) + records
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.acknowledged_before(self._marks + 1)) < wanted:  # noqa: ASYNC110 - a wait in a test
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def flowing(self, http: httpx.AsyncClient) -> AsyncIterator[None]:
        """Send beside the block; every batch on its way is waited for."""
        self._is_over = False
        senders = [asyncio.create_task(self._send(http)) for _ in range(_SENDERS)]
        try:
            yield
        finally:
            self._is_over = True
            await asyncio.gather(*senders)

    async def _send(self, http: httpx.AsyncClient) -> None:
        while not self._is_over:
            sent = Sent(list(itertools.islice(self.lines, BATCH_RECORDS)), self._marks)
            self.sent.append(sent)
            answer = await http.post(
                "/v1/requests/batch", content=b"\n".join(sent.lines), headers=_NDJSON
            )
            if answer.is_success:
                sent.acknowledged = self._marks
                await asyncio.sleep(_PAUSE_S)
            else:
                await asyncio.sleep(_PAUSE_AFTER_REFUSAL_S)


def _lines(batches: Iterator[Sent]) -> list[bytes]:
    return [line for each in batches for line in each.lines]
