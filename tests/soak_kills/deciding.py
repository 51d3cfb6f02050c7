"""Decisions beside the traffic: corrections and voids, limits, keys, meters and what they mend."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from tests.naive_prices import Terms
from tests.soak_kills.doors import RECORDS, Doors
from tests.soak_kills.drawing import Drawing
from tests.soak_kills.figures import Figures
from tests.soak_kills.machines import Member
from tests.soak_kills.memory import (
    Adjusting,
    Answer,
    KeyMade,
    Limit,
    Memory,
    Request,
)
from tests.soak_kills.sending import Records

AGAIN_AFTER_S = 0.3
REVOKED_EVERYWHERE_S = 1.5
WINDOWS = ("day", "week", "month", "total")
SCOPES = (("ingest",), ("read",), ("ingest", "read"))


class Decisions:
    """Somebody who decides something now and then, again until it is answered."""

    def __init__(
        self, doors: Doors, memory: Memory, records: Records, drawing: Drawing, figures: Figures
    ) -> None:
        self._doors = doors
        self._memory = memory
        self._records = records
        self._drawing = drawing
        self._dice = drawing.dice
        self._figures = figures
        self._numbers = 0

    async def run(self, stop: asyncio.Event, pause_s: float) -> None:
        """Until told to stop; what is not answered by then stays so."""
        actions: list[tuple[int, Callable[[asyncio.Event], Coroutine[Any, Any, None]]]] = [
            (60, self._adjust),
            (12, self._set_limit),
            (8, self._use_key),
            (10, self._mend),
        ]
        weights, choices = zip(*actions, strict=True)
        while not stop.is_set():
            [action] = self._dice.choices(choices, weights)
            await action(stop)
            await asyncio.sleep(pause_s)

    async def _adjust(self, stop: asyncio.Event) -> None:
        request = self._adjustable()
        if request is None:
            return
        request.is_closed = True  # to others, and for ever if it is not answered
        adjusting = self._drawn(request)
        request.adjustings.append(adjusting)
        path = f"{RECORDS}/{quote(request.key[1], safe='')}/adjustments"
        body = {
            "kind": adjusting.kind,
            "reason": "soak",
            "idempotency_key": adjusting.idempotency_key,
            "customer_id": request.key[0],
            **adjusting.quantities,
        }
        if self._dice.random() < 0.2:  # to both at once
            one, two = self._doors.members
            both = (self._doors.ask(each, "POST", path, json=body) for each in (one, two))
            answers = list(await asyncio.gather(*both))
        else:
            answers = [await self._until_answered(stop, "POST", path, json=body)]
        self._settle(request, adjusting, [each for each in answers if each is not None])

    def _adjustable(self) -> Request | None:
        """Something that was taken, by one statement alone, and is not adjusted at the moment."""
        requests = list(self._memory.requests.values())
        for request in self._dice.sample(requests, min(20, len(requests))):
            taken = request.answered(Answer.ACCEPTED, Answer.TAKEN)
            metered = [number for number in taken if request.is_metered(number)]
            if metered and len(request.statements) == 1 and not request.is_closed:
                return request
        return None

    def _drawn(self, request: Request) -> Adjusting:
        kind = self._dice.choice(("correction", "correction", "correction", "void"))
        quantities = {}
        if kind == "correction":
            cached = request.statements[0].get("cached_input_tokens", 0)
            earlier = request.adjustings[-1].quantities if request.adjustings else {}
            before = earlier.get("output_tokens", request.statements[0]["output_tokens"])
            quantities = {
                "input_tokens": cached + self._dice.randint(1, 9_000),
                "output_tokens": before + self._dice.randint(1, 500),
            }
        return Adjusting(kind, quantities, self._name("adjustment"), time.monotonic())

    def _settle(
        self, request: Request, adjusting: Adjusting, answers: list[httpx.Response]
    ) -> None:
        statuses = sorted(answer.status_code for answer in answers)
        if not set(statuses) <= {200, 201} or statuses == [201, 201]:
            self._memory.find(f"adjusting {request.key}: {[each.text for each in answers]}")
        elif statuses:
            adjusting.answered_s = time.monotonic()
            request.is_closed = adjusting.kind == "void"
            self._figures.done[adjusting.kind] += 1

    async def _set_limit(self, stop: asyncio.Event) -> None:
        amount = Decimal(self._dice.randint(1, 400)).scaleb(-2)
        customer = self._dice.choice(self._drawing.customers)
        name, window = self._name("limit"), self._dice.choice(WINDOWS)
        limit = Limit(name, customer, amount, window, datetime.now(UTC))
        self._memory.limits.append(limit)
        body = {"limit_id": name, "customer_id": customer, "amount": str(amount), "window": window}
        answer = await self._until_answered(stop, "POST", "/v1/limits", json=body)
        if self._is_ok(answer, "limit"):
            limit.answered_at = datetime.now(UTC)

    async def _use_key(self, stop: asyncio.Event) -> None:
        """Make a key by one server, use it at the other, perhaps revoke it."""
        scopes = self._dice.choice(SCOPES)
        customer = self._dice.choice([None, *self._drawing.customers])
        body = {"name": self._name("key"), "scopes": scopes, "customer_id": customer}
        maker = self._doors.any(self._dice)
        answer = await self._doors.ask(maker, "POST", "/v1/keys", json=body)
        if not self._is_ok(answer, "key") or answer is None:
            return
        made = KeyMade(answer.json()["key_id"], answer.json()["key"], scopes, customer)
        self._memory.keys.append(made)
        await self._send_by(made, self._doors.other(maker))
        if self._dice.random() < 0.5:
            await self._revoke(made, stop)

    async def _send_by(self, made: KeyMade, member: Member) -> None:
        if "ingest" not in made.scopes:
            return
        record = self._drawing.record()
        if made.customer is not None:
            record["customer_id"] = made.customer
        await self._records.send_one(member, self._memory.add(record), key=made.text)

    async def _revoke(self, made: KeyMade, stop: asyncio.Event) -> None:
        made.is_revoked = None
        path = f"/v1/keys/{made.key_id}/revoke"
        if self._is_ok(await self._until_answered(stop, "POST", path, json={}), "revocation"):
            made.is_revoked = True
            await asyncio.sleep(REVOKED_EVERYWHERE_S)
            for member in self._doors.members:
                answer = await self._doors.ask(member, "GET", "/v1/models", made.text)
                if answer is not None and answer.status_code != httpx.codes.UNAUTHORIZED:
                    self._memory.find(f"{made.key_id} is revoked: {answer.status_code}")

    async def _mend(self, stop: asyncio.Event) -> None:
        """A record names a meter that is none; the meter is made, and the record replayed."""
        slug = self._name("meter")
        request = self._memory.add({**self._drawing.record(), "meter_slug": slug})
        self._memory.terms[slug] = Terms(Decimal(5))
        sending = await self._records.send_one(self._doors.any(self._dice), request)
        meter = {"meter_slug": slug, "percentage": "5"}
        made = await self._until_answered(stop, "POST", "/v1/meters", json=meter)
        if sending.answer is not Answer.REJECTED or not self._is_ok(made, "meter"):
            return
        listed = await self._until_answered(
            stop, "GET", "/v1/quarantine", params={"request_id": request.key[1]}
        )
        if listed is not None:
            for kept in listed.json()["data"]:
                await self._replay(request, kept["quarantine_id"])

    async def _replay(self, request: Request, name: str) -> None:
        sending = request.begin(0, time.monotonic())
        member = self._doors.any(self._dice)
        answer = await self._doors.ask(member, "POST", f"/v1/quarantine/{name}/replay")
        if answer is None or not self._is_ok(answer, "replay"):
            return
        counters = answer.json()
        sending.answer, sending.answered_s = Answer.TAKEN, time.monotonic()
        taken = [(request, sending)]
        self._memory.count_taken(
            taken, counters["accepted"], counters["duplicates"], f"replay of {request.key}"
        )

    async def _until_answered(
        self, stop: asyncio.Event, method: str, path: str, **said: Any
    ) -> httpx.Response | None:
        """Ask one, then the other, and so on; None when it was told to stop meanwhile."""
        member = self._doors.any(self._dice)
        while (answer := await self._doors.ask(member, method, path, **said)) is None:
            if stop.is_set():
                return None
            await asyncio.sleep(AGAIN_AFTER_S)
            member = self._doors.other(member)
        return answer

    def _is_ok(self, answer: httpx.Response | None, kind: str) -> bool:
        if answer is None:
            return False
        if not answer.is_success:
            self._memory.find(f"{kind}: {answer.status_code} {answer.text}")
            return False
        self._figures.done[kind] += 1
        return True

    def _name(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}-{self._numbers:05d}"
