"""Whatever a superuser changes behind the triggers is found, with the lane and the batch it was in."""

import pytest

from ledger.clock import FixedClock
from ledger.core.cuts import parse_as_of
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from tests.store.tampering import ACME_MIDDLE, offenders, place, places, tamper, tampering

# What is done to the facts, and everything that is to be found then beside the digest.
CHANGES = {
    "an amount": ["UPDATE usage_event SET output_pico = output_pico - 1" + ACME_MIDDLE],
    "an amount, its sums made to fit": [
        "UPDATE usage_event SET fee_pico = fee_pico - 5" + ACME_MIDDLE,
        """UPDATE rollup_hour r SET fee_pico = r.fee_pico - 5 FROM usage_event e
        WHERE r.customer = e.customer AND r.dimension = e.dimension
        AND r.hour_at = date_trunc('hour', e.occurred_at, 'UTC')
        AND (request_id, e.customer, revision) = (
            SELECT request_id, customer, revision FROM usage_event JOIN customer USING (customer)
            WHERE customer_id = 'acme' AND input_pico > 0 ORDER BY request_id OFFSET 3 LIMIT 1)""",
    ],
    "a quantity": ["UPDATE usage_event SET uncached_input_tokens = 7" + ACME_MIDDLE],
    "a time": [
        "UPDATE usage_event SET occurred_at = occurred_at + interval '1 second'" + ACME_MIDDLE
    ],
    "what was stated": ["UPDATE usage_event SET stated = stated # 1" + ACME_MIDDLE],
    "the customer": [
        """UPDATE usage_event SET customer = (SELECT customer FROM customer WHERE customer_id = 'corner-shop')
        """
        + ACME_MIDDLE
    ],
    "the dimension": ["UPDATE usage_event SET dimension = dimension + 1" + ACME_MIDDLE],
    "a missing row": ["DELETE FROM usage_event" + ACME_MIDDLE],
    "an added row": [
        """INSERT INTO usage_event SELECT 'ffffffff-0000-0000-0000-000000000001', occurred_at,
        uncached_input_tokens, cached_input_tokens, output_tokens, input_pico, cached_input_pico, output_pico,
        other_pico, fee_pico, batch, lane, customer, dimension, stated, kind, revision, requests, unrated,
        'forged', other_units, reported_cost, NULL FROM usage_event"""
        + ACME_MIDDLE
    ],
    "the time of a batch": [
        """UPDATE batch SET recorded_at = recorded_at - interval '1 day'
        WHERE (lane, batch) = (SELECT lane, batch FROM usage_event"""
        + ACME_MIDDLE
        + ")"
    ],
}


@pytest.mark.parametrize("statements", CHANGES.values(), ids=CHANGES)
async def test_a_changed_event_shows_in_its_batch(
    ledger: str, database: Database, clock: FixedClock, statements: list[str]
) -> None:
    """Whatever else disagrees, the digest names the batch; without the change all is well."""
    assert await offenders(database, clock) == {}
    where = await place(ledger)

    await tamper(ledger, *statements)

    found = await offenders(database, clock)
    assert places(found["digests_match"]) == {where}


async def test_swapped_rows_show_in_both_batches(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Two events that trade places leave every sum as it was; their batches disagree."""
    async with tampering(ledger) as connection:
        one, other = [
            await connection.fetchval(
                "SELECT request_id FROM usage_event WHERE lane = 1 AND batch = $1 AND revision = 1 LIMIT 1",
                batch,
            )
            for batch in (2, 3)
        ]
        for request_id, batch in ((one, 3), (other, 2)):
            await connection.execute(
                "UPDATE usage_event SET batch = $2 WHERE request_id = $1 AND revision = 1",
                request_id,
                batch,
            )

    found = await offenders(database, clock)

    assert set(found) == {"digests_match"}
    assert places(found["digests_match"]) == {(1, 2), (1, 3)}


async def test_a_renamed_model_shows_in_every_batch_that_uses_it(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """The number of a dimension is spelled out in digests."""
    async with tampering(ledger) as connection:
        dimension, batches = await connection.fetchrow(
            "SELECT dimension, array_agg(DISTINCT (lane, batch)) FROM usage_event WHERE unrated = 0"
            " GROUP BY dimension ORDER BY count(*) DESC LIMIT 1"
        )
        await connection.execute(
            "UPDATE dimension SET model = 'renamed' WHERE dimension = $1", dimension
        )

    found = await offenders(database, clock)

    assert places(found["digests_match"]) == {tuple(each) for each in batches}


@pytest.mark.parametrize(
    ("statement", "setting"),
    [
        ("UPDATE meter_version SET percentage = '11' WHERE slug = 'ten'", "meter"),
        ("UPDATE rate_table SET fingerprint = 'x' WHERE version = '2026-05-12'", "rate table"),
        ("UPDATE customer_setting SET meter_slug = 'other'", "meter of a customer"),
        ("UPDATE spend_limit SET amount_pico = amount_pico + 1", "limit"),
        ("DELETE FROM customer_setting", "meter of a customer"),
        ("UPDATE api_key SET scopes = '{admin}' WHERE name = 'gateway'", "key"),
        ("UPDATE api_key SET digest = '' WHERE name = 'gateway'", "key"),
        ("UPDATE api_key SET expires_at = NULL WHERE name = 'gateway'", "key"),
        ("UPDATE api_key SET revoked_at = NULL", "key"),
        ("UPDATE api_key SET scopes = '{read}' WHERE name = 'leaked'", "key"),
        ("UPDATE api_key SET created_by = 'nobody' WHERE name = 'gateway'", "key"),
        ("UPDATE api_key SET revoked_at = '2099-01-01' WHERE name = 'leaked'", "key"),
        ("DELETE FROM api_key WHERE name = 'leaked'", "key"),
        (
            "INSERT INTO api_key VALUES (0, 'lk_0', '', 'made up', '{admin}', now(), 'nobody')",
            "key",
        ),
    ],
)
async def test_a_changed_setting_differs_from_its_decision(
    ledger: str, database: Database, clock: FixedClock, statement: str, setting: str
) -> None:
    """What is in force is what was decided, whatever the tables say."""
    await tamper(ledger, statement)

    found = await offenders(database, clock)

    assert setting in {each["setting"] for each in found["settings_equal_decisions"]}


async def test_a_rate_table_with_other_content_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Its fingerprint stands for what was published; one that is no table any more prices nothing."""
    for content in ("replace(content, '0.90', '0.91')", "'no rate table'"):
        await tamper(
            ledger, f"UPDATE rate_table SET content = {content} WHERE version = '2025-01-01'"
        )
        found = await offenders(database, clock)
        assert found["rate_tables_sound"][0]["file"] == "fireworks/2025-01-01.yaml"
        assert "rates_reproduce_amounts" in found


async def test_a_renamed_customer_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Customers are spelled out too, in the batches of events and of decisions."""
    await tamper(ledger, "UPDATE customer SET customer_id = 'acme2' WHERE customer_id = 'acme'")

    found = await offenders(database, clock)

    assert {(1, 2), (1, 3)} <= places(found["digests_match"])


async def test_a_changed_decision_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Who decided it, why, and what."""
    for change in ("actor = 'nobody'", "reason = 'forged'", 'body = body || \'{"total": "0.01"}\''):
        async with tampering(ledger) as connection:
            lane, batch = await connection.fetchrow(
                f"UPDATE ledger_event SET {change} WHERE kind = 'invoice_finalised'"
                " AND subject = 'INV-000001' RETURNING lane, batch"
            )
        found = await offenders(database, clock)
        assert (lane, batch) in places(found["digests_match"])


async def test_a_rewritten_digest_shows_there_and_in_the_next_batch(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """The digest before it is part of each."""
    await tamper(ledger, "UPDATE batch SET digest = sha256('forged') WHERE lane = 1 AND batch = 1")

    found = await offenders(database, clock)

    assert set(found) == {"digests_match"}
    assert places(found["digests_match"]) == {(1, 1), (1, 2)}


async def test_a_lost_digest_is_found(ledger: str, database: Database, clock: FixedClock) -> None:
    """Batches without one can only stand at the start of a lane."""
    await tamper(ledger, "UPDATE batch SET digest = NULL WHERE lane = 1 AND batch = 2")

    found = await offenders(database, clock)

    assert [(each["batch"], each["fault"]) for each in found["digests_match"]] == [
        (2, "has lost its digest"),
        (3, "its digest is not that of its rows and the batch before it"),
    ]


async def test_changed_words_are_found(ledger: str, database: Database, clock: FixedClock) -> None:
    """Words that were changed, that are gone, and that were put in."""
    one = """ WHERE request_id = (SELECT request_id FROM event_text WHERE response_id IS NOT NULL
        ORDER BY request_id LIMIT 1)"""
    for statement in (
        'UPDATE event_text SET metadata = \'{"team": "forged"}\'' + one,
        "UPDATE event_text SET redacted = '{metadata}'" + one,
        'UPDATE event_text SET salt = NULL, metadata = \'{"team": "forged"}\', redacted = NULL'
        + one,
        "UPDATE event_text SET salt = ''" + one,
        "UPDATE event_text SET salt = NULL, response_id = NULL, metadata = NULL, fields = NULL"
        + one,
        "DELETE FROM event_text" + one,
    ):
        await tamper(ledger, statement)
        found = await offenders(database, clock)
        assert set(found) == {"texts_match_digests"}
        assert {text["lane"] for text in found["texts_match_digests"]} == {1}
        assert all(text["request_id"] for text in found["texts_match_digests"])


async def test_a_guard_that_was_switched_off_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """The owner can disable a trigger; it shows until it is on again."""
    async with tampering(ledger) as connection:
        await connection.execute("ALTER TABLE batch DISABLE TRIGGER facts_are_kept")

    found = await offenders(database, clock)

    assert found == {"guards_in_place": [{"table": "batch", "guard": "facts_are_kept"}]}


@pytest.mark.parametrize(
    "change",
    [
        """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RETURN NEW; END'""",
        """DROP TRIGGER facts_are_kept ON batch; CREATE TRIGGER facts_are_kept BEFORE TRUNCATE ON batch
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    ],
    ids=["another function", "another event"],
)
async def test_a_guard_that_guards_nothing_is_found(
    ledger: str, database: Database, clock: FixedClock, change: str
) -> None:
    """It is not enough that a trigger of the name is there."""
    async with tampering(ledger) as connection:
        await connection.execute(change)

    assert set(await offenders(database, clock)) == {"guards_in_place"}


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE usage_event SET other_units = '{"images": 5}'""",
        """UPDATE usage_event SET other_units = '{"images": [1]}'""",
        """UPDATE usage_event SET other_units = '{"images": ["x", 1]}'""",
        "UPDATE usage_event SET other_units = '5'",
        """UPDATE ledger_event SET body = body || '{"amount": "x"}' WHERE kind = 'limit_set'""",
        """UPDATE ledger_event SET body = body || '{"version": "x"}' WHERE kind = 'meter_published'""",
    ],
)
async def test_what_cannot_even_be_read_is_an_offender(
    ledger: str, database: Database, clock: FixedClock, change: str
) -> None:
    """A value of another shape fails its checks and stops none."""
    await tamper(ledger, change + ("" if "WHERE" in change else ACME_MIDDLE))

    found = await offenders(database, clock)

    assert "digests_match" in found
    assert len(found) > 1


async def test_verify_goes_on_from_a_cut(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """What an earlier run covered is taken as it stands; a change after it is found, one before is not."""
    await tamper(ledger, "UPDATE usage_event SET input_pico = input_pico + 1" + ACME_MIDDLE)
    lane, batch = await place(ledger)

    before = await verify(database, clock, since={lane: batch - 1} if batch > 1 else {})
    after = await verify(database, clock, since={1: 2, 2: 1})

    assert not before["ok"]
    assert after["ok"], [check for check in after["checks"] if not check["ok"]]


async def test_a_cut_that_the_log_does_not_reach_is_a_failure(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """What an earlier run saw and this one does not was removed, or the copy is an older one."""
    assert ledger
    report = await verify(database, clock, since={1: 2, 9: 3000})

    [check] = [check for check in report["checks"] if not check["ok"]]
    assert check["name"] == "log_reaches_since"
    assert places(check["offenders"]) == {(9, 3000)}


@pytest.mark.parametrize("place_of_it", ["lane = 77", "batch = 1000000"])
async def test_verify_from_a_cut_sees_what_stands_in_no_batch(
    ledger: str, database: Database, clock: FixedClock, place_of_it: str
) -> None:
    """A row in a lane that is none, or behind the end of its lane, came after every cut."""
    whole = await verify(database, clock)
    since = parse_as_of(whole["as_of"]).cut
    await tamper(ledger, f"UPDATE usage_event SET {place_of_it}" + ACME_MIDDLE)

    report = await verify(database, clock, since=since)

    failed = [check["name"] for check in report["checks"] if not check["ok"]]
    assert failed == ["batches_whole"]
