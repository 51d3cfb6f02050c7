"""`ledger meters`."""

from pathlib import Path
from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    ACTOR,
    json_option,
    on_ledger,
    print_json,
    print_table,
    reason_option,
)
from ledger.services.meters import list_meters, publish_meters, set_meter
from pricing import PERIODS, TERMS_BY_KIND, MeterUnit

COLUMNS = {"meter_slug": "meter", "version": "version", "kind": "kind", "charges": "charges"}


UNIT_WORDS = {
    "tokens_1m": "1M tokens",
    "characters_1m": "1M characters",
    "minutes": "minute",
    "requests": "request",
}


class TierOption(click.ParamType[dict[str, str]]):
    """A tier as `START:RATE`."""

    name = "start:rate"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, str]:
        """Split at the colon; what the two must be is told by whoever reads the meter."""
        start, colon, rate = str(value).partition(":")
        if not colon:
            self.fail(f"{value!r} is not START:RATE, such as 1000000:3.00", param, ctx)
        return {"start": start, "rate": rate}


@click.group("meters")
def command_group() -> None:
    """Set and list meters: the fees on top of cost.

    Example: ledger meters set standard --percentage 10
    """


@command_group.command("set")
@click.argument("slug")
@click.option("--kind", type=click.Choice(list(TERMS_BY_KIND)), help="Else told by --percentage.")
@click.option("--percentage", help="Of cost, such as 10 or 12.5; without it and a kind: no fee.")
@click.option(
    "--unit", type=click.Choice([unit.value for unit in MeterUnit]), help="What is counted."
)
@click.option("--rate", help="Of a fixed fee, for one unit, such as 0.01.")
@click.option(
    "--tier",
    "tiers",
    type=TierOption(),
    multiple=True,
    help="Repeat, from 0 up: 0:5.00 1000000:3.00",
)
@click.option("--package-size", help="How much one package holds.")
@click.option("--period", type=click.Choice(PERIODS), help="In which tiers add up; else month.")
@reason_option
@json_option
@on_ledger
async def set_(
    ledger: Ledger, *, slug: str, reason: str | None, as_json: bool, **terms: Any
) -> None:
    """Publish a version of a meter. Events that are recorded already keep the version they have.

    Example: ledger meters set standard --percentage 10

    Example, a rate on each call: ledger meters set per-call --kind fixed --unit requests --rate 0.01

    Example, tiers over a month:
    ledger meters set pro --kind graduated --unit tokens_1m --tier 0:5.00 --tier 1000000:3.00
    """
    terms["tiers"] = list(terms["tiers"]) or None
    body = await set_meter(ledger.database, ledger.clock, ACTOR, slug, terms, reason)
    _show("Meter", [body], body, as_json=as_json)


@command_group.command("publish")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@reason_option
@json_option
@on_ledger
async def publish(
    ledger: Ledger, *, files: tuple[Path, ...], reason: str | None, as_json: bool
) -> None:
    """Publish the meters of YAML files. Those that charge as before keep their version.

    Example: ledger meters publish meters.yaml
    """
    texts = [(file.name, file.read_text(encoding="utf-8", errors="replace")) for file in files]
    rows = await publish_meters(
        ledger.database,
        ledger.clock,
        ACTOR,
        texts,
        currency=ledger.settings.currency,
        reason=reason,
    )
    _show("Meters", rows, {"meters": rows}, as_json=as_json)


@command_group.command("list")
@json_option
@on_ledger
async def list_(ledger: Ledger, *, as_json: bool) -> None:
    """List meters with the version in force.

    Example: ledger meters list
    """
    rows = await list_meters(ledger.database)
    _show("Meters", rows, {"meters": rows}, as_json=as_json)


def _show(
    title: str, rows: list[dict[str, Any]], document: dict[str, Any], *, as_json: bool
) -> None:
    if as_json:
        print_json(document)
    else:
        print_table(title, COLUMNS, [{**row, "charges": _charges(row)} for row in rows])


def _charges(meter: dict[str, Any]) -> str:
    """What a meter charges, in a few words."""
    if meter["percentage"] is not None:
        return f"{meter['percentage']}% of cost"
    if "rate" in meter:
        return f"{meter['rate']} per {UNIT_WORDS[meter['unit']]}"
    if "tiers" not in meter:
        return "nothing"
    tiers = ", ".join(f"{tier['rate']} from {tier['start']}" for tier in meter["tiers"])
    each = UNIT_WORDS[meter["unit"]]
    if "package_size" in meter:
        each = f"package of {meter['package_size']} ({meter['unit']})"
    return f"{tiers} per {each}, by {meter['period']}"
