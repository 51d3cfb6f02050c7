"""Heads that somebody kept: they hold as long as nothing that they cover has changed."""

import json

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import InvalidParameter
from ledger.services.proof.seals import Head, check_heads, read_heads, show_heads
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from tests.store.tampering import ACME_MIDDLE, offenders, place, places, tamper, tampering
from tests.store.test_digests import digest_of


async def kept_heads(database: Database, clock: FixedClock) -> list[Head]:
    """What a third party keeps, as the command prints it."""
    return read_heads(json.dumps(await show_heads(database, clock)).encode())


async def test_kept_heads_hold(ledger: str, database: Database, clock: FixedClock) -> None:
    """Nothing changed: all that they cover is as it was, and every event was looked at."""
    assert ledger
    result = await check_heads(database, await kept_heads(database, clock))

    assert (result["ok"], result["offenders"]) == (True, [])
    async with tampering(ledger) as connection:
        assert result["events"] == await connection.fetchval("SELECT count(*) FROM usage_event")


async def test_a_truncated_lane_breaks_its_seal(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """The end of a lane cut off without a trace: what was kept elsewhere names lane and batch."""
    heads = await kept_heads(database, clock)
    lane, batch = next((head.lane, head.batch) for head in heads if head.lane == 1)
    await tamper(
        ledger,
        f"DELETE FROM event_text t USING usage_event e WHERE t.request_id = e.request_id"
        f" AND t.customer = e.customer AND t.revision = e.revision AND lane = {lane} AND batch = {batch}",
        f"DELETE FROM usage_event WHERE lane = {lane} AND batch = {batch}",
        f"DELETE FROM ledger_event WHERE lane = {lane} AND batch = {batch}",
        f"DELETE FROM batch WHERE lane = {lane} AND batch = {batch}",
    )

    result = await check_heads(database, heads)

    assert not result["ok"]
    [offender] = result["offenders"]
    assert (offender["lane"], offender["batch"]) == (lane, batch)
    assert offender["fault"] == "the lane ends before it"
    report = await verify(database, clock, heads=heads)
    seals = next(check for check in report["checks"] if check["name"] == "seals_hold")
    assert places(seals["offenders"]) == {(lane, batch)}


async def test_a_forged_chain_breaks_its_seal(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Who rewrites a fact and every digest after it passes `verify`, not the heads that somebody kept."""
    heads = await kept_heads(database, clock)
    lane, batch = await place(ledger)
    await tamper(ledger, "UPDATE usage_event SET reported_cost = 17" + ACME_MIDDLE)
    assert set(await offenders(database, clock)) == {"digests_match"}
    async with tampering(ledger) as connection:
        chain = await connection.fetch(
            "SELECT batch, digest FROM batch WHERE lane = $1 ORDER BY batch", lane
        )
        digest = next((row["digest"] for row in chain if row["batch"] == batch - 1), None)
        for number in (row["batch"] for row in chain if row["batch"] >= batch):
            digest = await digest_of(connection, lane, number, digest)
            await connection.execute(
                "UPDATE batch SET digest = $3 WHERE lane = $1 AND batch = $2", lane, number, digest
            )

    assert await offenders(database, clock) == {}
    result = await check_heads(database, heads)
    assert [(each["lane"], each["fault"]) for each in result["offenders"]] == [
        (lane, "the log has another digest there")
    ]


async def test_a_change_under_kept_heads_names_its_batch(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """The heads themselves are untouched; what they cover is not."""
    heads = await kept_heads(database, clock)
    where = await place(ledger)
    await tamper(ledger, "UPDATE usage_event SET output_pico = output_pico - 1" + ACME_MIDDLE)

    result = await check_heads(database, heads)

    assert places(result["offenders"]) == {where}


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[]", b'{"lanes": []}', b'{"lanes": [{"lane": 0, "batch": 1, "digest": ""}]}'],
)
def test_what_are_no_heads_is_refused(text: bytes) -> None:
    """With the form that is asked for."""
    with pytest.raises(InvalidParameter, match="seal show"):
        read_heads(text)
