"""Points in the log: an answer's `as_of` gives that answer again, whatever has been recorded since."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from ledger.clock import FixedClock
from ledger.core.cuts import parse_as_of
from ledger.core.errors import InvalidParameter, TooBusy
from ledger.core.instants import format_instant
from ledger.core.reading import read_statement
from ledger.core.spend import GROUPINGS, SpendQuery, spend_query
from ledger.core.statements import Statement
from ledger.services import spend
from ledger.services.intake.writer import Writer
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from ledger.store.spend import read_spend
from ledger.store.sql_files import query
from tests.conftest import NOW

ROOT = Path(__file__).parents[2]
MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"  # 0.90 USD per 1M tokens in and out
AUDIO = "whisper-v3"
USED_AT = datetime(2026, 5, 11, 10, tzinfo=UTC)  # when the older rates, with one for audio, count
START, END = USED_AT - timedelta(hours=10), USED_AT + timedelta(hours=2)
MINUTE = timedelta(minutes=1)


def statement(number: int, **fields: Any) -> Statement:
    """A record of a million output tokens, 0.90 USD, at 10:00."""
    record = {
        "request_id": f"as-of-{number}",
        "customer_id": "acme",
        "model": MODEL,
        "output_tokens": 1_000_000,
        "timestamp": format_instant(USED_AT),
    }
    read = read_statement(json.dumps(record | fields).encode(), NOW)
    assert isinstance(read, Statement)
    return read


def audio(number: int, **fields: Any) -> Statement:
    """A minute and a half of audio."""
    return statement(
        number, **{"model": AUDIO, "output_tokens": None, "input_seconds": 90} | fields
    )


async def ask(
    database: Database,
    clock: FixedClock,
    as_of: str | None = None,
    question: SpendQuery | None = None,
) -> dict[str, Any]:
    """The body of an answer."""
    answer = await answer_spend(
        database,
        clock,
        question or spend_query(START, END),
        None if as_of is None else parse_as_of(as_of),
    )
    return spend_body(answer, "USD")


async def requests_at(database: Database, clock: FixedClock, as_of: str | datetime) -> int:
    """How many requests an answer counts."""
    text = as_of if isinstance(as_of, str) else format_instant(as_of)
    count: int = (await ask(database, clock, text))["totals"]["requests"]
    return count


@asynccontextmanager
async def a_second_writer(database: Database, clock: FixedClock) -> AsyncIterator[Writer]:
    """A writer with a lane of its own."""
    writer = Writer(database, clock)
    await writer.start()
    yield writer
    await writer.close()


def some_question(choice: random.Random) -> SpendQuery:
    """Any span, whole hours or not, any groupings and filters."""
    edges = sorted(
        START + timedelta(hours=choice.randrange(13), microseconds=choice.choice([0, 0, 1, 17 * 10**8]))
        for _ in range(2)
    )  # fmt: skip
    return spend_query(
        edges[0],
        edges[1] + timedelta(microseconds=1),
        choice.sample(GROUPINGS, choice.randrange(4)),
        customers=choice.choice([(), (), ("acme",), ("acme", "nobody")]),
        models=choice.choice([(), (), (MODEL, AUDIO)]),
        key_types=choice.choice([(), (), ("byok",)]),
        providers=choice.choice([(), (), ("fireworks",)]),
    )


def some_record(choice: random.Random, number: int) -> Statement:
    """Any customer, kind of key and hour; tokens, audio, or a model that has no rate."""
    make = choice.choice([statement, statement, audio])
    fields: dict[str, Any] = {
        "customer_id": choice.choice(["acme", "other", "third"]),
        "provider_key_type": choice.choice(["managed", "byok"]),
        "timestamp": format_instant(START + timedelta(seconds=choice.randrange(12 * 3600))),
    }
    if choice.random() < 0.2:
        fields["model"] = "no/such-model"
    if choice.random() < 0.1:
        fields["status"] = "pending"
    return make(number, **fields)


@pytest.mark.parametrize("seed", range(6))
async def test_an_answer_stays_the_same_for_ever(
    database: Database, clock: FixedClock, writer: Writer, seed: int
) -> None:
    """Two writers; after each batch some questions; at the end their `as_of` gives the same bytes."""
    choice = random.Random(seed)
    remembered: list[tuple[SpendQuery, bytes]] = []
    async with a_second_writer(database, clock) as other:
        for batch in range(12):
            clock.instant += timedelta(seconds=choice.choice([0, 1, 60]))
            records = [some_record(choice, 100 * batch + n) for n in range(choice.randrange(1, 30))]
            await choice.choice([writer, other]).submit(records)
            for question in [spend_query(START, END, GROUPINGS), *map(some_question, [choice] * 3)]:
                body = await ask(database, clock, question=question)
                remembered.append((question, msgspec.json.encode(body)))

    for question, before in remembered:
        as_of = msgspec.json.decode(before)["as_of"]
        assert msgspec.json.encode(await ask(database, clock, as_of, question)) == before
        # By its cut alone the figures are the same; the time is then that of the latest batch.
        by_cut = await ask(database, clock, as_of.partition("~")[2], question)
        assert by_cut | {"as_of": as_of} == msgspec.json.decode(before)


async def test_two_questions_by_time_differ_by_what_was_recorded_between_them(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """One record each at 12:01 and 12:03 in one lane, at 12:02 in another.

    | as of                | requests |
    | the day before       | 0        |
    | 12:00:59.999999      | 0        |
    | 12:01                | 1        |
    | 12:01:30             | 1        |
    | 12:02                | 2        |
    | 12:10, which is now  | 3        |
    """
    async with a_second_writer(database, clock) as other:
        for number, one in enumerate([writer, other, writer], 1):
            clock.instant = NOW + number * MINUTE
            await one.submit([statement(number)])
    clock.instant = NOW + 10 * MINUTE

    counted = [
        await requests_at(database, clock, at)
        for at in (
            NOW - timedelta(days=1),
            NOW + MINUTE - timedelta(microseconds=1),
            NOW + MINUTE,
            NOW + 1.5 * MINUTE,
            NOW + 2 * MINUTE,
            NOW + 10 * MINUTE,
        )
    ]
    assert counted == [0, 0, 1, 1, 2, 3]


async def test_the_time_asked_for_stands_in_the_answer_with_its_cut(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """So the answer to a question by time is an answer for ever, too."""
    clock.instant = NOW + MINUTE
    await writer.submit([statement(1)])
    clock.instant = NOW + 3 * MINUTE
    between = await ask(database, clock, "2026-11-20T13:02:00+01:00")
    now = await ask(database, clock)
    await writer.submit([statement(2)])

    assert between["as_of"].startswith("2026-11-20T12:02:00Z~")
    assert between["as_of"].partition("~")[2] == now["as_of"].partition("~")[2]
    assert await ask(database, clock, between["as_of"]) == between
    by_cut = await ask(database, clock, now["as_of"].partition("~")[2])
    assert by_cut["as_of"].startswith("2026-11-20T12:01:00Z~")
    assert await ask(database, clock, by_cut["as_of"]) == by_cut


async def test_before_the_first_batch_there_is_nothing_and_stays_nothing(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The empty cut has no rows and totals of zero."""
    await writer.submit([statement(1), audio(2)])
    by_model = spend_query(START, END, ("model",))

    before = await ask(database, clock, "2020-01-01", by_model)
    await writer.submit([statement(3)])

    assert (before["as_of"], before["rows"]) == ("2020-01-01T00:00:00Z~", [])
    assert before["totals"]["requests"] == 0
    assert before["totals"]["spend"] == "0.000000000000"
    assert "input_seconds" not in before["totals"]
    assert await ask(database, clock, before["as_of"], by_model) == before


async def test_a_cut_holds_at_the_edges_for_units_and_for_what_has_no_rate(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Audio, tokens and an unrated request at 10:00 and at 10:30; the span ends at 10:30, exclusive.

    | recorded | at    | seconds | unrated |
    | before   | 10:00 | 90      | 1       |
    | after    | 10:00 | 90      | 1       |
    """
    half_past = format_instant(USED_AT + timedelta(minutes=30))
    until_half_past = spend_query(START + MINUTE, USED_AT + timedelta(minutes=30))
    unrated = {"model": "no/such-model"}

    await writer.submit([audio(1), statement(2, **unrated), audio(3, timestamp=half_past)])
    before = await ask(database, clock, question=until_half_past)
    await writer.submit([audio(4), statement(5, **unrated), audio(6, timestamp=half_past)])
    after = await ask(database, clock, question=until_half_past)

    assert before["totals"]["input_seconds"] == "90.000000"
    assert before["unrated_requests"] == 1
    assert after["totals"]["input_seconds"] == "180.000000"
    assert await ask(database, clock, before["as_of"], until_half_past) == before


@asynccontextmanager
async def a_batch_in_flight(
    database_url: str, lane: int, recorded_at: datetime
) -> AsyncIterator[Any]:
    """Inside the fence, its time taken, its row written, not committed: yields what commits it."""
    connection = await asyncpg.connect(database_url, server_settings={"search_path": "ledger"})
    transaction = connection.transaction()
    await transaction.start()
    await connection.fetchval("SELECT enter_fence()")
    await connection.execute(
        "INSERT INTO batch (lane, batch, recorded_at, events, decisions) VALUES ($1, 1, $2, 0, 0)",
        lane,
        recorded_at,
    )
    try:
        yield transaction.commit
    finally:
        await connection.close()


async def test_a_question_by_time_waits_for_what_may_still_be_recorded_by_then(
    database: Database, database_url: str, clock: FixedClock, writer: Writer
) -> None:
    """And for nobody else: who comes into the fence later is not waited for, nor held up."""
    await writer.submit([statement(1)])
    clock.instant = NOW + MINUTE
    async with a_batch_in_flight(database_url, 77, NOW + 0.5 * MINUTE) as commit:
        waiting = asyncio.create_task(ask(database, clock, format_instant(NOW + MINUTE)))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        clock.instant = NOW + 2 * MINUTE
        async with asyncio.timeout(5):
            await writer.submit([statement(2)])
        async with a_batch_in_flight(database_url, 78, NOW + 2 * MINUTE):
            await commit()
            body = await asyncio.wait_for(waiting, 5)

    assert ".77-1" in body["as_of"]
    assert body["totals"]["requests"] == 1


async def test_a_question_by_cut_waits_for_nobody(
    database: Database, database_url: str, clock: FixedClock, writer: Writer
) -> None:
    """Nor does one of now: what is in flight is in neither."""
    await writer.submit([statement(1)])
    async with a_batch_in_flight(database_url, 77, NOW), asyncio.timeout(5):
        now = await ask(database, clock)
        assert await ask(database, clock, now["as_of"]) == now
        assert "77" not in now["as_of"]


async def test_a_batch_that_does_not_end_makes_the_question_give_up(
    database: Database, database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller may come back; nothing is answered that could change."""
    monkeypatch.setattr(spend, "MOST_WAIT_S", 0.1)
    async with a_batch_in_flight(database_url, 77, NOW):
        with pytest.raises(TooBusy, match="ask again, or as of a cut"):
            await ask(database, clock, format_instant(NOW))


async def test_every_history_by_time_is_found_again_while_writers_are_at_work(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Questions by a time that has just come, between the batches of two writers, asked again at the end."""

    async def send(one: Writer, first: int) -> None:
        for number in range(first, first + 40):
            clock.instant += timedelta(microseconds=1)
            await one.submit([statement(number)])

    bodies: list[dict[str, Any]] = []
    async with a_second_writer(database, clock) as other:
        sending = asyncio.gather(send(writer, 0), send(other, 100))
        while not sending.done():
            asked_at = clock.instant
            clock.instant += timedelta(microseconds=1)  # whoever comes into the fence now is later
            bodies.append(await ask(database, clock, format_instant(asked_at)))
        await sending

    assert len({body["totals"]["requests"] for body in bodies}) > 3
    for body in bodies:
        assert await ask(database, clock, body["as_of"]) == body
        assert await ask(database, clock, body["as_of"].partition("~")[0]) == body


@pytest.mark.parametrize(
    ("as_of", "rule"),
    [
        ("2026-11-20T12:00:00.000001Z", "must not lie in the future"),
        ("9999-12-31", "must not lie in the future"),
        ("999-1", "names a lane or a batch that this ledger does not have"),
        ("1-999999999999999999", "names a lane or a batch that this ledger does not have"),
        ("2026-11-20T12:00:00Z~999-1", "names a lane or a batch that this ledger does not have"),
    ],
)
async def test_a_point_that_the_log_does_not_have_is_refused(
    database: Database, clock: FixedClock, as_of: str, rule: str
) -> None:
    """The parameter and the rule are named."""
    with pytest.raises(InvalidParameter, match=f"as_of: {rule}"):
        await ask(database, clock, as_of)


async def test_over_http_an_answer_comes_back_byte_for_byte(
    api: httpx.AsyncClient, writer: Writer
) -> None:
    """Also with an offset whose plus sign was not escaped."""
    span = {"from": "2026-05-11", "to": "2026-05-11T10:59:59.5Z", "group_by": "customer,hour"}
    await writer.submit([statement(1), audio(2)])
    first = await api.get("/v1/spend", params=span)
    await writer.submit([statement(3), audio(4)])
    again = await api.get("/v1/spend", params=span | {"as_of": first.json()["as_of"]})
    offset = await api.get(
        "/v1/spend?from=2026-05-11&to=2026-05-12&as_of=2026-11-20T13:00:00+01:00"
    )

    assert first.status_code == again.status_code == offset.status_code == 200
    assert first.json()["totals"]["requests"] == 2
    assert again.content == first.content
    assert offset.json()["totals"]["requests"] == 4


@pytest.mark.parametrize("as_of", ["", "now", "1-0", "2026-11-21", "2026-11-20T12:00:00Z~9-9"])
async def test_over_http_a_bad_point_is_a_bad_request(api: httpx.AsyncClient, as_of: str) -> None:
    """It names the parameter."""
    span = {"from": "2026-11-19", "to": "2026-11-20"}
    answer = await api.get("/v1/spend", params=span | {"as_of": as_of})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "as_of"


async def test_on_the_command_line_an_answer_comes_back_byte_for_byte(
    database_url: str, writer: Writer
) -> None:
    """`--as-of` takes what `--json` shows; a bad one is wrong usage."""
    words = ("--from", "2026-05-11", "--to", "2026-05-12", "--by", "model", "--json")

    await writer.submit([statement(1)])
    first = await run_spend(database_url, *words)
    await writer.submit([statement(2)])
    as_of = json.loads(first.stdout)["as_of"]
    again = await run_spend(database_url, *words, "--as-of", as_of)
    bad = await run_spend(database_url, *words, "--as-of", "yesterday")
    future = await run_spend(database_url, *words, "--as-of", "9999-12-31")

    assert (first.returncode, again.returncode) == (0, 0)
    assert again.stdout == first.stdout
    assert (bad.returncode, future.returncode) == (2, 2)
    assert "must be a time, a date, a cut" in bad.stderr.replace("\n", " ")
    assert "must not lie in the future" in future.stderr


async def run_spend(database_url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `ledger spend` on a database."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "ledger", "spend", *words],
        env={**os.environ, "LEDGER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Explaining:
    """A connection that explains the queries of a question in place of answering them."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.plans: list[str] = []

    async def execute(self, sql: str) -> None:
        """Hand on what answers nothing."""
        await self._connection.execute(sql)

    async def fetchrow(self, sql: str) -> Any:
        """Hand on what asks what there is; all of it is looked for here."""
        row = await self._connection.fetchrow(sql)
        return (row["condensed_until"], True, True)

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """Remember the plan as it was carried out."""
        rows = await self._connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}", *arguments)
        self.plans.append("\n".join(row[0] for row in rows))
        return []


async def test_a_question_of_now_over_whole_hours_does_not_look_at_the_log(
    database: Database, writer: Writer
) -> None:
    """Nor at a cut after which nothing came; at an earlier one it does."""
    await writer.submit([statement(1), audio(2)])
    async with database.snapshot() as connection:
        now, earlier = Explaining(connection), Explaining(connection)
        first = START.replace(day=1, hour=0)  # a month begins in it
        await read_spend(now, spend_query(first, END), {})
        await read_spend(earlier, spend_query(first, END), {1: 0})

    assert len(now.plans) == len(earlier.plans) == 3  # figures, units, usage of meters
    assert not any(reads_log(plan) for plan in now.plans)
    assert all(reads_log(plan) for plan in earlier.plans)


def reads_log(plan: str) -> bool:
    return "usage_event" in plan or "_of_log" in plan


@pytest.mark.parametrize("name", ["figures", "units"])
async def test_neither_does_the_plan_that_the_server_keeps(
    database: Database, writer: Writer, name: str
) -> None:
    """A prepared statement's general plan has the log in it and never carries that part out."""
    await writer.submit([statement(1), audio(2)])
    hours = "'2026-05-11T00:00Z', '2026-05-11T00:00Z', '2026-05-12T00:00Z', '2026-05-12T00:00Z'"
    days = "'2026-05-11T00:00Z', '2026-05-12T00:00Z', true"
    arguments = f"{hours}, {'true, ' * 7} null, null, null, null, '{{}}', '{{}}', 10001, {days}"
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE general AS {query('spend', name)}")
        rows = await connection.fetch(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE general ({arguments})"
        )
        await connection.execute("DEALLOCATE general")

    on_the_log = [row[0] for row in rows if "_of_log" in row[0]]
    assert on_the_log
    assert all("never executed" in line for line in on_the_log)
