"""Sending records, alone and in batches: new ones, the same to the other server, contradictions, races."""

import asyncio
import gzip
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from random import Random
from typing import Any

import httpx

from tests.conftest import ADMIN_KEY
from tests.soak_kills.doors import RECORDS, Doors
from tests.soak_kills.drawing import Drawing
from tests.soak_kills.figures import Figures
from tests.soak_kills.machines import Member
from tests.soak_kills.memory import Answer, Memory, Record, Request, Sending

Statement = tuple[Request, int]
SINGLE = {200: Answer.TAKEN, 201: Answer.ACCEPTED, 400: Answer.REJECTED, 409: Answer.CONFLICT}
REMEMBERED = 2000  # what is sent again lies not further back
BATCHES = (2, 10, 40)
PAUSE_S, PAUSE_WITHOUT_ANSWER_S = 0.08, 0.15
RESENT_SHARE = 0.7  # of what was not answered; of the rest nobody will ever know


class Records:
    """The way of records to the servers, and of their answers into the memory."""

    def __init__(self, doors: Doors, memory: Memory, figures: Figures) -> None:
        self._doors = doors
        self._memory = memory
        self._figures = figures

    async def send_one(
        self, member: Member, request: Request, statement: int = 0, key: str = ADMIN_KEY
    ) -> Sending:
        """Post a record alone."""
        sending = request.begin(statement, time.monotonic())
        record = request.statements[statement]
        answer = await self._doors.ask(member, "POST", RECORDS, key, json=record)
        if answer is not None:
            sending.answer = self._read_single(answer, request)
            sending.answered_s = time.monotonic()
            self._count_single(request, sending, answer)
        self._figures.records[sending.answer] += 1
        return sending

    async def send_batch(
        self, member: Member, statements: Sequence[Statement], body: Mapping[str, Any]
    ) -> bool:
        """Post a batch; `body` is what `in_some_form` made of it. Says whether it was answered."""
        sendings = self.begin(statements)
        answer = await self._doors.ask(member, "POST", f"{RECORDS}/batch", **body)
        if answer is not None and answer.status_code != httpx.codes.OK:
            self._memory.find(f"batch: {answer.status_code} {answer.text}")
        elif answer is not None:
            self.settle(sendings, answer.json(), "batch")
        for _, sending in sendings:
            self._figures.records[sending.answer] += 1
        return answer is not None

    def begin(self, statements: Sequence[Statement]) -> list[tuple[Request, Sending]]:
        """They all go on their way."""
        now_s = time.monotonic()
        return [(request, request.begin(number, now_s)) for request, number in statements]

    def settle(
        self,
        sendings: Sequence[tuple[Request, Sending]],
        counters: Mapping[str, Any],
        where: str,
    ) -> None:
        """Take the counters of a batch, or of a file, as the answer to its records in their order."""
        now_s = time.monotonic()
        for _, sending in sendings:
            sending.answer, sending.answered_s = Answer.TAKEN, now_s
        for problem in counters["problems"]:
            if problem["outcome"] in (Answer.CONFLICT, Answer.REJECTED):
                sendings[problem["index"]][1].answer = Answer(problem["outcome"])
        taken = [each for each in sendings if each[1].is_acknowledged]
        self._memory.count_taken(taken, counters["accepted"], counters["duplicates"], where)

    def _count_single(self, request: Request, sending: Sending, answer: httpx.Response) -> None:
        taken, where = [(request, sending)], f"{request.key} alone"
        if sending.answer is Answer.ACCEPTED:
            request.told = answer.json()
            self._memory.count_taken(taken, 1, 0, where)
        elif sending.answer is Answer.TAKEN and all(map(request.is_metered, request.numbers)):
            self._memory.count_taken(taken, 0, 1, where)  # else it may complete what was announced

    def _read_single(self, answer: httpx.Response, request: Request) -> Answer:
        if answer.status_code not in SINGLE:
            self._memory.find(f"{request.key}: {answer.status_code} {answer.text}")
            return Answer.NONE
        return SINGLE[answer.status_code]


class Senders:
    """What a client does next, drawn again and again until told to stop."""

    def __init__(self, doors: Doors, memory: Memory, records: Records, drawing: Drawing) -> None:
        self._doors = doors
        self._memory = memory
        self._records = records
        self._drawing = drawing
        self._dice = drawing.dice
        self._recent: deque[Statement] = deque(maxlen=REMEMBERED)
        self._pending: deque[Request] = deque(maxlen=REMEMBERED)

    async def run(self, stop: asyncio.Event) -> None:
        """One of several clients."""
        actions: list[tuple[int, Callable[[], Coroutine[Any, Any, bool]]]] = [
            (40, self._new_batch),
            (20, self._new_single),
            (12, self._batch_again),
            (8, self._single_again),
            (6, self._announce),
            (6, self._contradict),
            (3, self._impossible),
            (5, self._race),
        ]
        weights, choices = zip(*actions, strict=True)
        while not stop.is_set():
            [action] = self._dice.choices(choices, weights)
            was_answered = self._doors.are_open and await action()
            await asyncio.sleep(PAUSE_S if was_answered else PAUSE_WITHOUT_ANSWER_S)

    async def _new_batch(self) -> bool:
        size = self._dice.randint(1, self._dice.choice(BATCHES))
        statements = [self._new() for _ in range(size)]
        while self._pending and self._dice.random() < 0.3:  # some announced ones complete
            statements.append(self._completed(self._pending.popleft()))
        return await self._batch(statements)

    async def _new_single(self) -> bool:
        is_completion = self._pending and self._dice.random() < 0.3
        statement = self._completed(self._pending.popleft()) if is_completion else self._new()
        return await self._single(*statement)

    async def _batch_again(self) -> bool:
        size = min(len(self._recent), self._dice.choice(BATCHES))
        drawn = {id(each[0]): each for each in self._dice.sample(self._recent, size)}
        return await self._batch(list(drawn.values())) if drawn else True

    async def _single_again(self) -> bool:
        return await self._single(*self._dice.choice(self._recent)) if self._recent else True

    async def _announce(self) -> bool:
        record = self._drawing.record()
        request = self._memory.add(self._drawing.pending(record))
        request.statements.append(record)
        self._pending.append(request)
        if self._dice.random() < 0.5:
            return await self._single(request, 0)
        return await self._batch([(request, 0), self._new()])

    async def _contradict(self) -> bool:
        """Something else about what was taken; else it could be the first to be recorded."""
        known = [each for each in self._sample(20) if each[0].answered(*_TAKEN)]
        if not known:
            return True
        request, number = known[0]
        other = self._other_statement(request, number)
        if self._dice.random() < 0.5:
            return await self._single(request, other)
        return await self._batch([(request, other), self._new()])

    async def _impossible(self) -> bool:
        request = self._memory.add(self._drawing.impossible(self._drawing.record()))
        if self._dice.random() < 0.5:
            return await self._single(request, 0)
        return await self._batch([self._new(), (request, 0), self._new()])

    async def _race(self) -> bool:
        """The same, or something else, to both servers at once."""
        request, number = self._new()
        is_other = self._dice.random() < 0.5
        rival = self._other_statement(request, number) if is_other else number
        one, two = self._doors.members
        await asyncio.gather(
            self._records.send_one(one, request, number),
            self._records.send_one(two, request, rival),
        )
        return True

    async def _single(self, request: Request, statement: int) -> bool:
        """To one server; what is not answered mostly goes to the other."""
        member = self._doors.any(self._dice)
        sending = await self._records.send_one(member, request, statement)
        was_answered = sending.answer is not Answer.NONE
        if not was_answered and self._dice.random() < RESENT_SHARE:
            await self._records.send_one(self._doors.other(member), request, statement)
        return was_answered

    async def _batch(self, statements: Sequence[Statement]) -> bool:
        """The same for a batch."""
        records = [request.statements[number] for request, number in statements]
        body = in_some_form(self._dice, records)
        member = self._doors.any(self._dice)
        was_answered = await self._records.send_batch(member, statements, body)
        if not was_answered and self._dice.random() < RESENT_SHARE:
            await self._records.send_batch(self._doors.other(member), statements, body)
        return was_answered

    def _new(self) -> Statement:
        request = self._memory.add(self._drawing.record())
        self._recent.append((request, 0))
        return request, 0

    def _completed(self, request: Request) -> Statement:
        self._recent.append((request, 1))
        return request, 1

    def _other_statement(self, request: Request, number: int) -> int:
        request.statements.append(self._drawing.contradiction(request.statements[number]))
        return len(request.statements) - 1

    def _sample(self, most: int) -> list[Statement]:
        return self._dice.sample(self._recent, min(most, len(self._recent)))


_TAKEN = (Answer.ACCEPTED, Answer.DUPLICATE, Answer.TAKEN)


def in_some_form(dice: Random, records: Sequence[Record]) -> dict[str, Any]:
    """The content and the headers of a batch: lines, an array or an object; as it is, or packed."""
    headers = {"Content-Type": "application/json"}
    match dice.randrange(3):
        case 0:
            headers["Content-Type"] = "application/x-ndjson"
            content = b"\n".join(json.dumps(record).encode() for record in records)
        case 1:
            content = json.dumps(records).encode()
        case _:
            content = json.dumps({"requests": records}).encode()
    if dice.random() < 0.3:
        headers["Content-Encoding"] = "gzip"
        content = gzip.compress(content, 1)
    return {"content": content, "headers": headers}
