"""Tables that are published late, and usage that they price, for the scenarios of re-rating."""

from typing import Any

from ledger.clock import FixedClock
from ledger.core.instants import parse_instant_or_date
from ledger.core.spend import spend_query
from ledger.services.proof.rebuilding import rebuild
from ledger.services.proof.verification import verify
from ledger.services.rates import publish_tables
from ledger.services.rerating.ranges import RerateRequest, rerate
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from tests.scenarios.invoice_tables import MODELS

OCTOBER = ("2026-10-01", "2026-11-01")


async def publish(
    database: Database,
    clock: FixedClock,
    version: str,
    since: str = "2026-10-01",
    provider: str = "fireworks",
    **prices: str,
) -> None:
    """Publish a table of some models: one price for input and output, per 1M tokens, or prices in YAML."""
    lines = [f"  {MODELS.get(name, name)}: {_prices(price)}\n" for name, price in prices.items()]
    text = (
        f'provider: {provider}\nversion: "{version}"\neffective_from: {since}T00:00:00Z\n'
        f"currency: USD\nsource: a test\nmodels:\n{''.join(lines)}"
    )
    new = await publish_tables(database, clock, "test", [(f"{version}.yaml", text)], currency="USD")
    assert len(new) == 1


def _prices(price: str) -> str:
    return price if price.startswith("{") else f'{{input: "{price}", output: "{price}"}}'


async def rerated(
    database: Database,
    clock: FixedClock,
    span: tuple[str, str] = OCTOBER,
    *,
    is_applied: bool = True,
    **more: Any,
) -> dict[str, Any]:
    """The report of a run over a span of dates."""
    start_at, end_at = map(parse_instant_or_date, span)
    request = RerateRequest(start_at, end_at, **more)
    return await rerate(
        database, clock, "cli", request, is_applied=is_applied, reason="new price list"
    )


async def spend_totals(
    database: Database, clock: FixedClock, span: tuple[str, str] = OCTOBER, **more: Any
) -> dict[str, Any]:
    """Cost, fee, spend and how many are unrated, as the spend answer has them."""
    start_at, end_at = map(parse_instant_or_date, span)
    question = spend_query(start_at, end_at, **more)
    body = spend_body(await answer_spend(database, clock, question), "USD")
    totals = {name: body["totals"][name] for name in ("cost", "fee", "spend")}
    return {**totals, "unrated_requests": body["unrated_requests"]}


async def assert_sound(database: Database, clock: FixedClock) -> None:
    """Everything follows from the log, and a rebuild finds nothing to repair."""
    report = await verify(database, clock)
    assert report["ok"], [check for check in report["checks"] if not check["ok"]]
    found = await rebuild(database, clock)
    assert all(each["identical"] for each in found["projections"]), found
