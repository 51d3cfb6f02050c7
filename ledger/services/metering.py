"""Moving what customers use by tiered meters, in the transaction that records it."""

from collections.abc import Sequence
from datetime import date

import msgspec

from ledger.core.configuration import Configuration
from ledger.core.rows import UsageEvent
from ledger.core.tiered_fees import MeterUsage, first_lifetime_months, fold_usage
from ledger.store.database import Connection
from ledger.store.interning import Interned
from ledger.store.meter_usage import add_usage, lock_lifetimes, read_later_months


class Metered(msgspec.Struct, frozen=True):
    """What a batch adds to the usage of tiered meters, and the customers and months whose fees it moves."""

    usage: MeterUsage
    fee_months: frozenset[tuple[int, date]]


NOTHING = Metered({}, frozenset())


async def meter_usage(
    connection: Connection,
    events: Sequence[UsageEvent],
    configuration: Configuration,
    interned: Interned,
) -> Metered:
    """Add what tiered meters count of events; nothing is asked where no meter has tiers.

    Usage over a lifetime moves the fees of later months too. Two transactions that move one customer's would
    not see each other's months, so where a limit is judged by them the second waits for the first.
    """
    if not configuration.tiered:
        return NOTHING
    await interned.learn_meters(connection, {event.dimension for event in events})
    usage = fold_usage(events, interned.meter_versions, configuration.tiered)
    lifetimes = list(first_lifetime_months(usage, configuration.tiered))
    limited = {customer for customer, _, _ in lifetimes if customer in configuration.limits}
    await lock_lifetimes(connection, limited)
    await add_usage(connection, usage)
    months = {(customer, month) for customer, _, month in usage}
    return Metered(usage, frozenset(months | await read_later_months(connection, lifetimes)))
