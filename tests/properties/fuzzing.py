"""Sending drawn bodies, checking each answer, and in the end that nothing good was lost or doubled."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from ledger.bench.records import Mix, record_lines
from tests.naive import naive_ledger, read_tables
from tests.properties.fuzzed_bodies import AGAIN, NEW, Drawn

RATES = Path(__file__).parents[2] / "pricing" / "rates"
START, END = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
MIX = Mix(customers=5, models=20)
MOST_RECORDS = 10**7
CUSTOMERS = [f"customer-{number:05d}" for number in range(MIX.customers)]
REFUSALS = {400, 409, 413, 415}
VERDICTS = ("accepted", "duplicates", "conflicts", "rejected")
PIECE_BYTES = 37


class Fuzzing:
    """Sends bodies one after the other and keeps what was acknowledged.

    `landed` are good records that were acknowledged by their id; `open` those whose fate the answer does not
    tell, because their body broke off.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.bodies = 0
        self.accepted = 0
        self.unclear = (
            0  # single records that were answered 200: duplicates, or completions of others
        )
        self.landed: dict[str, bytes] = {}
        self.open: dict[str, bytes] = {}
        self.statuses: dict[int, int] = {}
        self._good: Iterator[bytes] = record_lines(MOST_RECORDS, START, MIX)
        self._sent: list[bytes] = []

    async def send(self, drawn: Drawn) -> None:
        """Send one body and check its answer.

        Raises:
            AssertionError: the answer is not as the interface has it.
        """
        records = [self._record(each) for each in drawn.elements]
        good = {
            _id(record): record
            for record, element in zip(records, drawn.elements, strict=True)
            if element in (NEW, AGAIN)
        }
        self.open |= {key: good[key] for key in good if key not in self.landed}
        body = drawn.body(records)
        is_streamed = len(body) % 2 == 1
        content = _pieces(body) if is_streamed else body
        answer = await self.client.post(drawn.path, content=content, headers=drawn.headers)
        self.bodies += 1
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        self._check(drawn, answer, good, len(records))

    def _record(self, element: bytes) -> bytes:
        if element == AGAIN and self._sent:
            return self._sent[len(self._sent) * 7 // 11]
        if element in (NEW, AGAIN):
            self._sent.append(next(self._good))
            return self._sent[-1]
        return element

    def _check(
        self, drawn: Drawn, answer: httpx.Response, good: Mapping[str, bytes], records: int
    ) -> None:
        told = f"{answer.status_code} {answer.text[:500]}"
        assert answer.status_code in {200, 201} | REFUSALS, told
        document = answer.json()
        if answer.status_code in REFUSALS:
            assert document["status"] == document["error"]["status"] == answer.status_code, told
            assert document["type"] == f"urn:ledger:problem:{document['error']['code']}", told
            assert not (good and drawn.stands), told
            if progress := document.get("progress"):
                self._count(progress, {})
        elif drawn.form == "single":
            self.accepted += answer.status_code == 201
            self.unclear += answer.status_code == 200 and not good
            self._acknowledge(good if drawn.stands else {})
        else:
            self._count(document, good if drawn.stands else {})
            if drawn.stands and drawn.form != "lines":
                assert document["read"] == records, told

    def _count(self, counters: Mapping[str, Any], good: Mapping[str, bytes]) -> None:
        assert counters["read"] == sum(counters[name] for name in VERDICTS), counters
        self.accepted += counters["accepted"]
        refused = {each["request_id"] for each in counters["problems"]}
        assert not refused & set(good), counters
        self._acknowledge(good)

    def _acknowledge(self, good: Mapping[str, bytes]) -> None:
        self.landed |= good
        for key in good:
            self.open.pop(key, None)

    async def settle(self) -> None:
        """Find out what became of the records whose answers did not tell; each is there once or not."""
        for key, record in self.open.items():
            answer = await self.client.get(f"/v1/requests/{key}")
            assert answer.status_code in (200, 404), answer.text
            if answer.status_code == 200:
                self.landed[key] = record
        self.open = {}

    async def check_spend(self) -> None:
        """Compare spend of the good customers with that of a second model, to the last digit.

        Raises:
            AssertionError: something that was acknowledged is not in it, or something is in it twice.
        """
        naive = naive_ledger(self.landed.values(), read_tables(RATES), received_at=END)
        assert naive.counters["accepted"] == len(self.landed)
        span = {"from": START.isoformat(), "to": END.isoformat(), "group_by": "customer,model"}
        answer = await self.client.get("/v1/spend", params={**span, "customer": CUSTOMERS})
        body = answer.json()
        assert body["totals"]["requests"] == len(self.landed)
        expected = naive.spend(("customer", "model"), START, END)
        assert len(body["rows"]) == len(expected)
        for row, wanted in zip(body["rows"], expected, strict=True):
            for name, value in wanted.items():
                assert (Decimal(row[name]) if isinstance(value, Decimal) else row[name]) == value

    def check_events(self, events: int) -> None:
        """Compare the rows of the log with what was acknowledged, good or not.

        Raises:
            AssertionError: there are others, or too few.
        """
        assert self.accepted <= events <= self.accepted + self.unclear


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """The body without its length told, in pieces that keep to no border."""
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]


def _id(record: bytes) -> str:
    return str(json.loads(record)["request_id"])
