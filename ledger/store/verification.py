"""Questions that the ledger's parts must agree on, asked in one snapshot."""

from typing import Any

import asyncpg
import msgspec

from ledger.store.audit import Stretch
from ledger.store.database import Connection
from ledger.store.meter_usage import read_month_fees, read_window_fees
from ledger.store.sql_files import query

CHECKS = (
    "events_equal_rollups",
    "event_units_equal_rollups",
    "rollups_equal_lane_rollups",
    "rollups_equal_day_rollups",
    "rollups_equal_meter_usage",
    "rollups_equal_limit_windows",
    "alerts_complete",
    "billed_and_uninvoiced_equal_events",
    "invoices_add_up",
    "invoices_equal_decisions",
    "invoice_numbers_gapless",
    "settings_equal_decisions",
    "revisions_whole",
    "batches_whole",
    "guards_in_place",
)
WARNINGS = ("unrated", "unmetered", "quarantined", "ids_under_two_customers")

# Those that look at events can be asked about a stretch of the log alone.
_OF_A_STRETCH = {
    "events_equal_rollups",
    "event_units_equal_rollups",
    "revisions_whole",
    "batches_whole",
    "unmetered",
    "ids_under_two_customers",
}
_WHOLE = (None, None, None)
# Those that compare with tiered fees are given them: only Python works those out.
_GIVEN = {
    "alerts_complete": read_window_fees,
    "billed_and_uninvoiced_equal_events": read_month_fees,
}
_QUERIES = {name: query("verification", name) for name in CHECKS} | {
    name: query("notes", name) for name in WARNINGS
}


async def find_offenders(
    connection: Connection, name: str, stretch: Stretch | None
) -> tuple[int, list[dict[str, Any]]]:
    """Ask one question, of a stretch or of the whole log: how many places disagree, and the first ten."""
    parameters: tuple[Any, ...] = ()
    if name in _OF_A_STRETCH:
        parameters = _WHOLE if stretch is None else stretch.parameters
    try:
        if name in _GIVEN:
            parameters = await _GIVEN[name](connection)
        async with connection.transaction():  # a savepoint: the snapshot goes on
            rows = await connection.fetch(_QUERIES[name], *parameters)
    except (asyncpg.DataError, ArithmeticError, LookupError, ValueError) as error:
        # What was written past the ledger need not even be numbers.
        return 1, [{"fault": f"cannot be computed: {error}"}]
    offenders = [msgspec.json.decode(row["offender"]) for row in rows]
    return int(rows[0]["found"]) if rows else 0, offenders
