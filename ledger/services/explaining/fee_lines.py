"""Why an invoice bills a tiered fee: the use of its month by its meter, and what each tier makes of it.

An invoice bills the fee as it stood at its cut, less what earlier invoices billed of it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from ledger.core.cuts import lanes_after, parse_cut
from ledger.core.explanation import counted_text
from ledger.core.invoicing import DueLine, Invoice
from ledger.core.tiered_fees import MeterUsage, TieredFee, is_lifetime, tiered_fees
from ledger.services.explaining.sharing import differences
from ledger.store.database import Connection
from ledger.store.invoices import read_billed_before
from ledger.store.log import read_cut
from ledger.store.meter_usage import read_usage
from ledger.store.meters import load_meters
from pricing import Meter, MeterUnit, TierShare, format_amount, tier_shares

FEE_RULE = "the fee alone: what the use itself costs is on other lines"


class Explained(msgspec.Struct, frozen=True):
    """What is told of the use behind a line, and where the line says something else."""

    body: dict[str, Any]
    differences: list[dict[str, str]]
    is_told: bool = True


async def explain_fee(connection: Connection, invoice: Invoice, due: DueLine) -> Explained:
    """The use of a month, version by version of the meter, and the fee on it, tier by tier."""
    content = invoice.content
    cut = parse_cut(content.cut or "")
    lanes = lanes_after(cut, await read_cut(connection))
    usage = await read_usage(connection, [content.customer], lanes_after=lanes)
    meters = await load_meters(connection)
    fees = [
        fee for fee in tiered_fees(usage, meters) if (fee.slug, fee.month) == (due.meter, due.month)
    ]
    billed_pico = await read_billed_before(connection, invoice, due)
    fee_pico = sum(fee.fee_pico for fee in fees)
    due_pico = fee_pico - billed_pico
    body = {
        "buckets": [],
        "sums": None,
        "record_count": None,
        "records": [],
        "versions": [_version(fee, usage) for fee in fees],
        "period_fee": format_amount(fee_pico),
        "billed_before": format_amount(billed_pico),
        "due": format_amount(due_pico),
    }
    recorded, computed = format_amount(due.fee_pico), format_amount(due_pico)
    return Explained(body, differences([("fee", recorded, computed)]))


def _version(fee: TieredFee, usage: MeterUsage) -> dict[str, Any]:
    """What a version of a meter counted, and the fee on it.

    Over a lifetime the fee is that on everything so far, less that on what came before the month.
    """
    meter, counting = fee.published.meter, fee.published.meter.counting
    if counting is None:
        raise ValueError(f"the meter {meter.slug} has tiers and counts nothing")
    whole = fee.before + fee.quantity if is_lifetime(meter) else fee.quantity
    shares = _shares(meter, counting, whole)
    before = _shares(meter, counting, fee.before) if is_lifetime(meter) else []
    return {
        "version": meter.version,
        "kind": meter.kind,
        "unit": counting.value,
        "counted": counting.counted,
        "period": meter.period,
        **({} if meter.package_size is None else {"package_size": meter.package_size}),
        "quantity": counted_text(counting, fee.quantity),
        "months": [
            {"month": month.isoformat()[:7], "quantity": counted_text(counting, quantity)}
            for month, quantity in _months(fee, usage)
        ],
        "tiers": shares,
        "tiers_before": before,
        "fee": format_amount(fee.fee_pico),
    }


def _months(fee: TieredFee, usage: MeterUsage) -> Sequence[tuple[date, int]]:
    """The months whose use the fee depends on, with that, in their order."""
    if not is_lifetime(fee.published.meter):
        return [(fee.month, fee.quantity)]
    whose = (fee.customer, fee.published.meter_version)
    return sorted(
        (month, quantity)
        for (*key, month), quantity in usage.items()
        if tuple(key) == whose and month <= fee.month
    )


def _shares(meter: Meter, counting: MeterUnit, quantity: int) -> list[dict[str, Any]]:
    return [_share(counting, share) for share in tier_shares(meter, quantity)]


def _share(counting: MeterUnit, share: TierShare) -> dict[str, Any]:
    """One tier: from where to before where it reaches, and what it makes of its part."""
    count = counting.per_quantity // counting.scale
    quantity = counted_text(counting, share.quantity)
    divided = f"{quantity} x {share.rate}" + (f" / {count:,}" if count > 1 else "")
    return {
        "start": share.start,
        "end": share.end,
        "rate": share.rate,
        "quantity": quantity,
        **({} if share.packages is None else {"packages": share.packages}),
        "arithmetic": divided if share.packages is None else f"{share.packages:,} x {share.rate}",
        "fee": format_amount(share.fee_pico),
    }
