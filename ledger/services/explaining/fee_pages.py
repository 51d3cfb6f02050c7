"""The explanation of a tiered fee on an invoice, as plain text."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from ledger.services.explaining.request_pages import equations
from ledger.services.explaining.tables import table
from ledger.services.invoice_text import COLUMNS


def fee_page(explanation: dict[str, Any]) -> Iterator[str]:
    """The use by each version of the meter, what each tier makes of it, and what was billed before."""
    yield from wrap(
        f"What it billed: the fee on all that was used up to the cut {explanation['cut']}", COLUMNS
    )
    for version in explanation["versions"]:
        yield from _version(version)
    yield ""
    fees = " + ".join(version["fee"] for version in explanation["versions"])
    yield from equations(
        [
            ("fee", fees, explanation["period_fee"]),
            ("billed", "by the invoices before", explanation["billed_before"]),
            ("due", "fee - billed", explanation["due"]),
        ]
    )


def _version(version: dict[str, Any]) -> Iterator[str]:
    yield ""
    size = f", packages of {version['package_size']:,}" if "package_size" in version else ""
    yield from wrap(
        f"Version {version['version']}: {version['kind']}{size}, rates for {_rated(version)}",
        COLUMNS,
    )
    counted = version["counted"]
    yield from table(
        [("month", counted), *((month["month"], month["quantity"]) for month in version["months"])]
    )
    yield from _tiers(version["tiers"], counted)
    if version["tiers_before"]:
        yield "Before the month, which is taken off:"
        yield from _tiers(version["tiers_before"], counted)
        yield from equations([("fee", "all - before", version["fee"])])


def _rated(version: dict[str, Any]) -> str:
    """What one rate buys, and in which time tiers add up."""
    bought = "one package" if "package_size" in version else version["unit"]
    return f"{bought}, by {version['period']}"


def _tiers(tiers: Sequence[dict[str, Any]], counted: str) -> Iterator[str]:
    rows = [(f"{counted} from", "arithmetic", "fee")]
    rows += [(f"{tier['start']:,}", tier["arithmetic"], tier["fee"]) for tier in tiers]
    yield from table(rows)
