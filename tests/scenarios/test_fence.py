"""Several writers and deciders at once: nothing is decided past a writer's back."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable
from ledger.core.reading import read_statement
from ledger.core.spend import spend_query
from ledger.core.statements import Statement
from ledger.services.customers import set_customer
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.limits import LimitRequest, list_alerts, set_limit
from ledger.services.meters import set_meter
from ledger.services.proof.verification import verify
from ledger.services.rates import publish_tables
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from tests.conftest import NOW

PREFIX = "accounts/fireworks/models"
MODEL = f"{PREFIX}/llama-v3p3-70b-instruct"
DEAR_MODEL = f"{PREFIX}/kimi-k2p5-turbo"


def statements(*numbers: int, customer: str = "acme", **fields: Any) -> list[Statement]:
    """Records of a million output tokens each, 0.90 USD, at noon of the clock."""
    read = [
        read_statement(
            json.dumps(
                {
                    "request_id": f"{customer}-{number}",
                    "customer_id": customer,
                    "model": MODEL,
                    "output_tokens": 1_000_000,
                    "timestamp": NOW.isoformat(),
                    **fields,
                }
            ).encode(),
            NOW,
        )
        for number in numbers
    ]
    return [each for each in read if isinstance(each, Statement)]


async def test_a_meter_counts_from_the_commit_on(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A writer that has cached the configuration rates the next batch by the new one.

    | record | meter | fee      |
    | 1      | none  | 0        |
    | 2      | 10 %  | 0.09     |
    """
    await writer.submit(statements(1))
    await set_meter(database, clock, "test", "tenth", {"percentage": "10"})
    await set_customer(database, clock, "test", "acme", "tenth")
    outcomes = await writer.submit(statements(2))

    assert outcomes[0].rated is not None
    assert outcomes[0].rated.fee_pico == 90_000_000_000


async def test_a_published_table_counts_from_the_commit_on(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """No batch that commits after a publication is rated by the older book."""
    await writer.submit(statements(1))
    table = (
        'provider: fireworks\nversion: "new"\neffective_from: 2026-11-20T00:00:00Z\ncurrency: USD\n'
        f'source: test\nmodels:\n  {MODEL}: {{input: "2", output: "2"}}\n'
    )
    await publish_tables(database, clock, "test", [("new.yaml", table)], currency="USD")
    outcomes = await writer.submit(statements(2))

    assert outcomes[0].rated is not None
    assert outcomes[0].rated.rate_version == "new"
    assert outcomes[0].rated.spend_pico == 2 * 10**12


async def test_a_limit_set_during_intake_misses_nothing(
    database: Database, clock: FixedClock
) -> None:
    """Whatever the interleaving, the window holds all that was spent, and alerts are raised once."""
    writers = [Writer(database, clock) for _ in range(2)]
    for writer in writers:
        await writer.start()
    await writers[0].submit(statements(0))

    async def send(writer: Writer, first: int) -> None:
        for number in range(first, first + 30):
            await writer.submit(statements(number))

    await asyncio.gather(
        send(writers[0], 100),
        send(writers[1], 200),
        *(set_limit(database, clock, "test", _limit(amount)) for amount in ("10", "20", "30")),
    )
    await set_limit(database, clock, "test", _limit("40"))
    await asyncio.gather(send(writers[0], 300), send(writers[1], 400))
    for writer in writers:
        await writer.close()

    verified = await verify(database, clock)
    assert verified["ok"], [check for check in verified["checks"] if not check["ok"]]
    alerts = await list_alerts(database, None, 100)
    of_last = [alert["threshold"] for alert in alerts if alert["limit_amount"] == "40.00"]
    assert of_last == ["0.5", "0.8", "1"]
    answer = await answer_spend(
        database, clock, spend_query(NOW.replace(hour=0), NOW.replace(hour=23))
    )
    assert spend_body(answer, "USD")["totals"]["spend"] == "108.900000000000"


async def test_the_fence_holds_whatever_the_database_takes_for_granted(
    database_url: str, clock: FixedClock
) -> None:
    """A default of repeatable read would let a writer see the epoch of before it waited."""
    owner = await asyncpg.connect(database_url)
    name = await owner.fetchval("SELECT current_database()")
    await owner.execute(
        f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"
    )
    await owner.close()
    database = Database(database_url)
    await database.open()
    writer = Writer(database, clock)
    await writer.start()
    await writer.submit(statements(1))

    async with database.connection() as decider, decider.transaction():
        await decider.fetchval("SELECT raise_epoch()")
        waiting = asyncio.create_task(writer.submit(statements(2)))
        await asyncio.sleep(0.1)  # it stands before the fence now
        customer = await decider.fetchval(
            "SELECT customer FROM customer WHERE customer_id = 'acme'"
        )
        await decider.execute(
            "INSERT INTO spend_limit VALUES ($1, 'l', 1, 'total', '{1}', 'alert', now())", customer
        )
    await waiting
    await writer.close()

    assert len(await list_alerts(database, None, 10)) == 1
    await database.close()


async def test_a_resend_is_a_duplicate_whatever_would_be_said_to_it_today(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The meter has risen since, so that the record would cost more than an amount can hold.

    | sent                     | outcome   |
    | first, meter none        | accepted  |
    | again, meter 1000 %      | duplicate |
    | again with other figures | conflict  |
    | another of that size     | rejected  |
    """
    dear: dict[str, Any] = {
        "model": DEAR_MODEL,
        "output_tokens": 10**12,
    }  # 4.94 million; with its fee 49.4
    await writer.submit(statements(1, **dear))
    await set_meter(database, clock, "test", "tenfold", {"percentage": "1000"})
    await set_customer(database, clock, "test", "acme", "tenfold")

    outcomes = [
        (await writer.submit(sent))[0]
        for sent in (
            statements(1, **dear),
            statements(1, model=DEAR_MODEL, output_tokens=10**12 - 1),
            statements(2, **dear),
        )
    ]

    assert [outcome.verdict for outcome in outcomes] == [
        Verdict.DUPLICATE,
        Verdict.CONFLICT,
        Verdict.REJECTED,
    ]


async def test_a_fault_of_the_system_rejects_nobody(database_url: str, writer: Writer) -> None:
    """Good records that meet a missing partition may be sent again; they are not turned away for good."""
    owner = await asyncpg.connect(database_url, server_settings={"search_path": "ledger"})
    await owner.execute("ALTER TABLE usage_event DETACH PARTITION usage_event_opaque")
    with pytest.raises(DatabaseUnavailable):
        await writer.submit(statements(1, 2, 3))
    await owner.execute(
        "ALTER TABLE usage_event ATTACH PARTITION usage_event_opaque "
        "FOR VALUES FROM ('80000000-0000-0000-0000-000000000000') TO (MAXVALUE)"
    )
    await owner.close()

    outcomes = await writer.submit(statements(1, 2, 3))

    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED] * 3


async def test_two_writers_that_send_the_same_commit_it_once(
    database: Database, clock: FixedClock
) -> None:
    """Each record is accepted by one of them and a duplicate for the other."""
    writers = [Writer(database, clock) for _ in range(3)]
    for writer in writers:
        await writer.start()

    outcomes = await asyncio.gather(
        *(
            writer.submit(statements(*range(start, start + 10)))
            for start in range(0, 200, 5)
            for writer in writers
        )
    )
    for writer in writers:
        await writer.close()

    verdicts = [outcome.verdict for each in outcomes for outcome in each]
    assert verdicts.count(Verdict.ACCEPTED) == 205
    assert verdicts.count(Verdict.DUPLICATE) == len(verdicts) - 205
    assert (await verify(database, clock))["ok"]


async def test_each_writer_has_a_lane_and_a_free_one_is_taken_again(
    database: Database, clock: FixedClock
) -> None:
    """Batches of a lane are numbered without gap, across writers that held it one after the other."""
    first, second = Writer(database, clock), Writer(database, clock)
    await first.start()
    await second.start()
    await first.submit(statements(1))
    await second.submit(statements(2))
    await first.close()
    third = Writer(database, clock)
    await third.start()
    await third.submit(statements(3))
    await second.close()
    await third.close()

    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT lane, array_agg(batch ORDER BY batch) AS batches FROM batch "
            "WHERE events > 0 GROUP BY lane ORDER BY lane"
        )
    batches = [list(row["batches"]) for row in rows]
    assert len(batches) == 2
    assert batches[0][1] == batches[0][0] + 1


async def test_one_record_the_database_refuses_does_not_cost_its_neighbours(writer: Writer) -> None:
    """The batch is halved until the culprit stands alone; it alone is rejected."""
    good = statements(*range(9))
    culprit = statements(99)[0]
    culprit.fields = "a text with \x00 that no column takes"

    outcomes = await writer.submit([*good[:5], culprit, *good[5:]])

    verdicts = [outcome.verdict for outcome in outcomes]
    assert verdicts == [Verdict.ACCEPTED] * 5 + [Verdict.REJECTED] + [Verdict.ACCEPTED] * 4
    assert outcomes[5].errors[0].code == "refused_by_database"


async def test_the_writer_survives_the_loss_of_its_connection(
    database_url: str, writer: Writer
) -> None:
    """A batch that meets it may be sent again, and commits on a new connection."""
    await writer.submit(statements(1))
    killer = await asyncpg.connect(database_url)
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    await killer.close()

    try:
        outcomes = await writer.submit(statements(1, 2))
    except DatabaseUnavailable:  # else the loss was noticed before
        outcomes = await writer.submit(statements(1, 2))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DUPLICATE, Verdict.ACCEPTED]


def _limit(amount: str) -> LimitRequest:
    return LimitRequest(customer_id="acme", amount=amount, window="month")


async def test_nobody_waits_for_a_writer_that_was_stopped(
    database: Database, clock: FixedClock
) -> None:
    """Whoever waits when its task is cancelled is told to send again, and so is who comes later."""
    writer = Writer(database, clock)
    await writer.start()
    waiting = [asyncio.create_task(writer.submit(statements(n))) for n in range(5)]
    await asyncio.sleep(0)
    assert writer._task is not None
    writer._task.cancel()

    for answer in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(answer, DatabaseUnavailable)
    with pytest.raises(DatabaseUnavailable, match="send the records again"):
        await writer.submit(statements(9))
    with suppress(asyncio.CancelledError):
        await writer.close()


async def test_a_sighting_is_a_repeat_whatever_its_neighbours_say(writer: Writer) -> None:
    """A completed record of the same key that is refused costs the sightings beside it nothing."""
    raw = {"request_id": "a", "customer_id": "acme", "model": "m"}
    pending = raw | {"status": "pending"}
    sent = [
        read_statement(json.dumps(each).encode(), NOW)
        for each in (raw | {"meter_slug": "unheard-of"}, pending, pending)
    ]

    outcomes = await writer.submit([each for each in sent if isinstance(each, Statement)])

    assert [each.verdict for each in outcomes] == ["rejected", "accepted", "duplicate"]
