"""`rebuild` gives the very bytes that intake wrote, and brings them back when something else stands there."""

import pytest

from ledger.clock import FixedClock
from ledger.core.adjustments import Adjustment
from ledger.core.errors import InvalidParameter, SetupError
from ledger.core.instants import parse_month
from ledger.services.adjustments import adjust_request
from ledger.services.intake.writer import Writer
from ledger.services.invoices import run_invoices
from ledger.services.proof.rebuilding import rebuild
from ledger.store import rebuild as store
from ledger.store.database import Database
from ledger.store.rebuild import PROJECTIONS
from tests.store.rebuild_damage import DAMAGES, MODEL, repaired, statements, whole
from tests.store.tampering import tamper, tampering


async def test_facts_give_what_intake_wrote(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """To the byte: every projection of a ledger with all that there is, and none of them is empty."""
    steps: list[str] = []

    result = await rebuild(database, clock, progress=steps.append)

    assert repaired(result) == {}
    assert [each["name"] for each in result["projections"]] == list(PROJECTIONS)
    assert all(each["rows"] > 0 for each in result["projections"]), result["projections"]
    assert all(len(each["after"]) == 64 for each in result["projections"])
    assert result["as_of"].startswith("2026-11-20T12:00:00Z~1-")
    assert steps == [f"rebuilding {name}" for name in PROJECTIONS]
    async with tampering(ledger) as connection:
        for each in result["projections"]:
            assert each["rows"] == await connection.fetchval(f"SELECT count(*) FROM {each['name']}")
        kinds = await connection.fetch("SELECT DISTINCT window_kind FROM alert")
    assert {row["window_kind"] for row in kinds} >= {"day", "month", "total"}


async def test_nothing_gives_nothing(database: Database, clock: FixedClock) -> None:
    """A ledger without usage has empty projections, and they are identical."""
    result = await rebuild(database, clock)

    assert repaired(result) == {}
    assert {each["rows"] for each in result["projections"]} == {0}


@pytest.mark.parametrize("name", PROJECTIONS)
async def test_an_emptied_table_comes_back(
    ledger: str, database: Database, clock: FixedClock, name: str
) -> None:
    """Every row of it, from the facts; asked for alone or with all others."""
    async with tampering(ledger) as connection:
        rows = await connection.fetchval(f"SELECT count(*) FROM {name}")
    await tamper(ledger, f"TRUNCATE {name}")

    alone = await rebuild(database, clock, [name])

    assert repaired(alone) == {name: rows}
    assert [each["rows"] for each in alone["projections"]] == [rows]
    await whole(database, clock)


async def test_all_at_once_come_back(ledger: str, database: Database, clock: FixedClock) -> None:
    """Nothing is derived from another projection."""
    before = await rebuild(database, clock)
    await tamper(ledger, *(f"TRUNCATE {name}" for name in PROJECTIONS))

    result = await rebuild(database, clock)

    assert repaired(result) == {each["name"]: each["rows"] for each in before["projections"]}
    assert [each["after"] for each in result["projections"]] == [
        each["after"] for each in before["projections"]
    ]
    await whole(database, clock)


@pytest.mark.parametrize(
    ("name", "damage"), [(name, each) for name, several in DAMAGES.items() for each in several]
)
async def test_a_wrong_row_is_put_right(
    ledger: str, database: Database, clock: FixedClock, name: str, damage: str
) -> None:
    """Changed, lost or made up: one key is repaired, and then there is nothing left to repair."""
    await tamper(ledger, damage)

    result = await rebuild(database, clock)

    assert repaired(result) == {name: 1}
    assert repaired(await rebuild(database, clock)) == {}


async def test_what_was_lost_is_billed(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """A run that saw too little settled the month; the next one bills the rest of it.

    | usage     | run of April          | run of May  |
    | 4 x 0.90  | 3 hours lost: nothing | 3.60        |
    """
    april = {"timestamp": "2026-04-15T10:00:00Z"}
    await writer.submit(statements(range(4), **april))
    await tamper(database_url, "TRUNCATE rollup_hour")
    run = await run_invoices(database, clock, "test", parse_month("2026-04"), currency="USD")
    assert (run["issued"], run["total"]) == (0, "0.00")
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM touched_period") == 0

    await rebuild(database, clock)

    run = await run_invoices(database, clock, "test", parse_month("2026-05"), currency="USD")
    assert (run["issued"], run["total"]) == (1, "3.60")
    await whole(database, clock)


async def test_a_made_up_line_hides_nothing(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """What a line had taken for billed is billed by the next run, once the line is gone."""
    await writer.submit(statements(range(2), timestamp="2026-04-15T10:00:00Z"))
    await tamper(
        database_url,
        f"""INSERT INTO invoice_line SELECT customer, 'INV-000007', 1, 'fireworks', '{MODEL}', 'managed',
        '2026-04-01', '2026-05-01', 2, 0, 0, 2000000, 1800000000000, 0, 1800000000000, 1.80
        FROM customer WHERE customer_id = 'late'""",
    )
    run = await run_invoices(database, clock, "test", parse_month("2026-04"), currency="USD")
    assert run["issued"] == 0

    assert repaired(await rebuild(database, clock)) == {"invoice_line": 1}

    run = await run_invoices(database, clock, "test", parse_month("2026-05"), currency="USD")
    assert run["total"] == "1.80"
    await whole(database, clock)


async def test_sums_are_posted_in_chunks(
    ledger: str, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many keys are many short transactions."""
    monkeypatch.setattr(store, "CHUNK_KEYS", 100)
    await tamper(ledger, "TRUNCATE rollup_hour, rollup_hour_unit")

    result = repaired(await rebuild(database, clock))

    assert result["rollup_hour"] > 1_000
    assert set(result) == {"rollup_hour", "rollup_hour_unit"}
    await whole(database, clock)


async def test_corrections_are_part_of_the_sums(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """A reversal negates its event, seconds of audio too; an hour that sums up to nothing keeps its row."""
    async with database.connection() as connection:
        customer_id, request_id = await connection.fetchrow(
            """SELECT customer_id, request_id_text(request_id, opaque_id)
            FROM usage_event JOIN customer USING (customer)
            WHERE other_units IS NOT NULL AND revision = 1 AND unrated = 0
            ORDER BY request_id LIMIT 1"""
        )
    void = Adjustment("void", "a test", "void-1", customer_id=customer_id)
    assert await adjust_request(database, clock, "test", request_id, void)

    assert repaired(await rebuild(database, clock)) == {}
    await tamper(ledger, "TRUNCATE rollup_hour, rollup_hour_unit, limit_window")
    assert set(repaired(await rebuild(database, clock))) == {
        "rollup_hour",
        "rollup_hour_unit",
        "limit_window",
    }
    await whole(database, clock)


async def test_an_unknown_projection_is_refused(database: Database, clock: FixedClock) -> None:
    """With the names that there are."""
    with pytest.raises(InvalidParameter, match="must be one of customer_setting, spend_limit"):
        await rebuild(database, clock, ["usage_event"])


async def test_temporary_tables_must_be_allowed(
    database: Database, clock: FixedClock, database_url: str
) -> None:
    """Where they are not, the answer says what to grant."""
    async with tampering(database_url) as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")

    with pytest.raises(SetupError, match="GRANT TEMPORARY"):
        await rebuild(database, clock)
