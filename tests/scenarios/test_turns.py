"""Work that takes long is done in turns: others go on meanwhile, and what is ordered stays in order."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest

from ledger.clock import FixedClock
from ledger.core.errors import FieldError
from ledger.core.keys import Sender
from ledger.core.refused import RefusedRecord, refused_record
from ledger.core.statements import Refusal, Statement
from ledger.services.intake.intake import Intake
from ledger.services.intake.outcomes import DUPLICATE, Outcome
from ledger.services.intake.writer import Writer
from ledger.store import quarantine
from ledger.store.database import Database
from ledger.store.quarantine import BYTES_PER_TURN, keep_refused
from tests.conftest import NOW

SENDER = Sender("cli")
FAULT = FieldError("images", "out_of_range", "must be an integer")
LONGEST_GAP_S = 5  # generous: less than one, where nobody else uses the processor; it was ten
MEBIBYTE = 1024 * 1024


class Recorder:
    """A writer that records nothing: it knows all that comes already."""

    def __init__(self) -> None:
        self.submitted: list[str] = []

    async def submit(self, statements: Sequence[Statement], **_: Any) -> list[Outcome]:
        """Note what comes, in which order."""
        self.submitted += [each.request_id for each in statements]
        return [DUPLICATE] * len(statements)


@pytest.fixture
def recorder() -> Recorder:
    """A writer without a database."""
    return Recorder()


@pytest.fixture
def intake(recorder: Recorder, clock: FixedClock) -> Intake:
    """A way in that meets nothing which it would wait for."""
    return Intake(cast("Writer", recorder), cast("Database", None), clock)


def record(request_id: str, note: Any = "") -> bytes:
    """A record that is good."""
    return json.dumps({"request_id": request_id, "customer_id": "acme", "note": note}).encode()


def turns_of(intake: Intake, raws: Sequence[bytes]) -> int:
    """How often others have their turn while records are taken."""
    taking = intake.take(raws, SENDER)
    turns = 0
    try:
        while True:
            taking.send(None)
            turns += 1
    except StopIteration:
        return turns


class Gaps:
    """How often somebody else had a turn, and how long the longest wait for it was."""

    def __init__(self) -> None:
        self.turns = 0
        self.longest_s = 0.0

    async def watch(self) -> None:
        """Ask for a turn again and again."""
        before = time.monotonic()
        while True:
            await asyncio.sleep(0)
            now = time.monotonic()
            self.longest_s = max(self.longest_s, now - before)
            self.turns, before = self.turns + 1, now


@asynccontextmanager
async def watched() -> AsyncIterator[Gaps]:
    """Watch the loop for a while."""
    gaps = Gaps()
    watching = asyncio.create_task(gaps.watch())
    await asyncio.sleep(0)
    yield gaps
    await asyncio.sleep(0)  # a wait that goes on counts too
    watching.cancel()


def test_a_single_record_and_a_small_batch_are_read_in_one_go(intake: Intake) -> None:
    """However large the record is; a hundred usual ones give way to nobody either."""
    assert turns_of(intake, [record("r1", "n" * (MEBIBYTE - 100))]) == 0
    assert turns_of(intake, [record(f"r{number}", "n" * 500) for number in range(100)]) == 0


def test_a_large_batch_is_read_in_many_turns(intake: Intake, recorder: Recorder) -> None:
    """One for each 256 KiB or so, of few large records or of many small ones."""
    raws = [record(f"r{number}", "n" * (MEBIBYTE // 2)) for number in range(15)]
    assert turns_of(intake, raws) == 14
    assert turns_of(intake, [record(f"s{number}") for number in range(10_000)]) >= 10
    assert len(recorder.submitted) == 10_015


async def test_long_lists_are_read_one_after_another_and_short_ones_between(
    intake: Intake, recorder: Recorder
) -> None:
    """The first of the long ones is handed in before the last is read; a short one waits for none."""
    long = [[record(f"{name}{number}") for number in range(3000)] for name in "abc"]
    async with asyncio.TaskGroup() as group:
        for raws in long:
            group.create_task(intake.take(raws, SENDER))
        await asyncio.sleep(0)
        group.create_task(intake.take([record("short")], SENDER))

    assert recorder.submitted[0] == "short"
    assert [each[0] for each in recorder.submitted[1:]] == ["a"] * 3000 + ["b"] * 3000 + [
        "c"
    ] * 3000


async def test_lines_are_submitted_in_their_order(intake: Intake, recorder: Recorder) -> None:
    """Although the last ones of a stream are read in no time, and the first ones in many turns."""
    sizes = [*[400_000] * 11, *[10] * 20]

    async def chunks() -> AsyncIterator[bytes]:
        yield b"\n".join(record(f"r{number}", "n" * size) for number, size in enumerate(sizes))

    counters = await intake.take_lines(chunks(), "identity", SENDER)

    assert counters.read == len(sizes)
    assert recorder.submitted == [f"r{number}" for number in range(len(sizes))]


@pytest.mark.parametrize("images", [1, -1])
async def test_few_bytes_that_mean_much_work_stop_nobody(
    api: httpx.AsyncClient, images: int
) -> None:
    """24 KB on the wire are 15 MB of texts under a secret's name, taken or refused: others go on."""
    raws = [
        json.loads(record(f"r{number}")) | {"images": images, "key": ["a"] * 200_000}
        for number in range(15)
    ]
    body = gzip.compress(json.dumps(raws, separators=(",", ":")).encode())
    assert len(body) < 30_000
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    async with watched() as gaps:
        answer = await api.post("/v1/requests/batch", content=body, headers=headers)

    assert answer.json()["accepted" if images == 1 else "rejected"] == 15
    assert gaps.longest_s < LONGEST_GAP_S


async def test_secrets_are_hidden_in_turns_and_while_nobody_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not inside of a transaction, which would hold the lock of the sender; repeats are not hidden again."""
    raws = [b'{"images": -1, "key": ["%d"]}' % number + b" " * 60_000 for number in range(60)]
    refusals = [Refusal(raw, (FAULT,)) for raw in raws]
    seen: list[tuple[int, bool]] = []
    async with database.connection() as connection, watched() as gaps:

        def hide(name: str, digest: bytes, refusal: Refusal) -> RefusedRecord:
            seen.append((gaps.turns, connection.is_in_transaction()))
            return refused_record(name, digest, refusal)

        monkeypatch.setattr(quarantine, "refused_record", hide)
        for _ in range(2):
            await keep_refused(connection, SENDER, refusals, NOW)
        kept = await connection.fetchval("SELECT sum(sightings) FROM quarantine")

    assert (len(seen), kept) == (60, 120)
    assert not any(is_in_transaction for _, is_in_transaction in seen)
    assert seen[-1][0] - seen[0][0] >= 60 * 60_000 // (2 * BYTES_PER_TURN)
