"""`ledger rates`."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.rate_imports import import_command
from ledger.cli.running import (
    ACTOR,
    DONE,
    WITH_PROBLEMS,
    Instant,
    command,
    json_option,
    on_ledger,
    print_json,
    print_table,
    reason_option,
    remark,
    say,
)
from ledger.core.errors import NotFound
from ledger.services.price_lists import (
    consequences,
    difference_body,
    list_tables,
    published_table,
    show_tables,
)
from ledger.services.rates import publish_tables
from ledger.settings import read_settings
from pricing import RateFileError, RateTable, load_rate_table

COLUMNS = {
    "provider": "provider",
    "version": "version",
    "effective_from": "effective from",
    "currency": "currency",
    "file": "file",
}
PRICE_COLUMNS = {"model": "model", "when": "when", "prices": "prices"}
DIFFERENCE_COLUMNS = {
    "model": "model",
    "when": "when",
    "input_tokens_from": "from input",
    "price_of": "price of",
    "before": "before",
    "after": "after",
}
FILES = click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
MODELS_NAMED = 5


@click.group("rates")
def command_group() -> None:
    """Check, publish, show, compare and import rate tables.

    Example: ledger rates show fireworks
    """


@command_group.command("validate")
@FILES
@json_option
@command
async def validate(files: tuple[Path, ...], *, as_json: bool) -> int:
    """Check rate files; every fault is told with file and line. Needs no database.

    Example: ledger rates validate my-rates.yaml
    """
    currency = read_settings().currency
    problems = [problem for file in files for problem in _problems_of(file, currency)]
    if as_json:
        print_json({"ok": not problems, "problems": problems})
    else:
        for problem in problems:
            say(f"{problem['file']}:{problem['line']}: {problem['message']}")
        if not problems:
            say("No faults.")
    return WITH_PROBLEMS if problems else DONE


@command_group.command("publish")
@FILES
@reason_option
@json_option
@on_ledger
async def publish(
    ledger: Ledger, *, files: tuple[Path, ...], reason: str | None, as_json: bool
) -> None:
    """Publish rate files. A published version never changes; the same content again is no fault.

    Usage that is recorded already keeps its price; what a re-rate would be for is told.

    Example: ledger rates publish my-rates.yaml
    """
    texts = [(file.name, _text_of(file)) for file in files]
    new = await publish_tables(
        ledger.database,
        ledger.clock,
        ACTOR,
        texts,
        currency=ledger.settings.currency,
        reason=reason,
    )
    told = await consequences(ledger.database, new)
    if as_json:
        print_json({"published": new, "consequences": told})
        return
    if new:
        print_table("Published", COLUMNS, new)
    else:
        say("All of them are published already.")
    for line in _consequence_words(told):
        remark(line)


@command_group.command("list")
@json_option
@on_ledger
async def list_(ledger: Ledger, *, as_json: bool) -> None:
    """List published rate tables.

    Example: ledger rates list
    """
    rows = await list_tables(ledger.database)
    if as_json:
        print_json({"rate_tables": rows})
    else:
        print_table("Rate tables", COLUMNS, rows)


@command_group.command("show")
@click.argument("provider", required=False)
@click.option("--at", type=Instant(), help="Only what is in force at this time or date.")
@click.option("--version", help="Only this version.")
@click.option("--model", help="Only this model, also under another id that a table bills it as.")
@json_option
@on_ledger
async def show(
    ledger: Ledger,
    *,
    provider: str | None,
    at: datetime | None,
    version: str | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Show prices: those in force now, at a time, or of one version.

    Example: ledger rates show fireworks --at 2026-10-01
    """
    moment = at or (None if version else ledger.clock.now())
    tables = await show_tables(ledger.database, at=moment, provider=provider, version=version)
    if model is not None:
        tables = [of_model(table, model) for table in tables]
        if not any(table["models"] for table in tables):
            raise NotFound(f"no table shown lists {model!r}; without --model all models are shown")
    if as_json:
        print_json({"rate_tables": tables})
        return
    for table in tables:
        title = f"{table['provider']} {table['version']}, from {table['effective_from']}"
        rows = list(_price_rows(table))
        print_table(f"{title}, {table['currency']}", PRICE_COLUMNS, rows, whole=("model",))


@command_group.command("diff")
@click.argument("before")
@click.argument("after")
@json_option
@on_ledger
async def diff(ledger: Ledger, *, before: str, after: str, as_json: bool) -> None:
    """Show what a table changes against another; each is provider/version or a file.

    Example: ledger rates diff fireworks/2026-05-12 my-rates.yaml
    """
    body = difference_body(await _table(ledger, before), await _table(ledger, after))
    if as_json:
        print_json(body)
        return
    for name in ("models_added", "models_removed"):
        for model in body[name]:
            say(f"{name.removeprefix('models_')}: {model}")
    for name in ("aliases_changed", "fallback_changed"):
        for each in body[name]:
            say(f"{name.partition('_')[0]} {each['id']}: {each['before']} -> {each['after']}")
    print_table(f"{body['before']} -> {body['after']}", DIFFERENCE_COLUMNS, body["prices_changed"])


command_group.add_command(import_command)


def of_model(table: dict[str, Any], model: str) -> dict[str, Any]:
    """What of a table leads to a model's prices: its own listing, or an alias and what that bills as."""
    listed = table["aliases"].get(model, model)
    return {
        **table,
        "models": {name: it for name, it in table["models"].items() if name == listed},
        "aliases": {name: to for name, to in table["aliases"].items() if name == model},
        "fallback": {},
    }


async def _table(ledger: Ledger, name: str) -> RateTable:
    """A table by the name of its version, or from a file."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        return load_rate_table(_text_of(path), name, currency=ledger.settings.currency)
    return await published_table(ledger.database, name)


def _price_rows(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The prices of a table, a row for each model, combination and tier."""
    for model, body in sorted(table["models"].items()):
        plain = {name: it for name, it in body.items() if name != "variants"}
        for prices in (plain, *body.get("variants", ())):
            when = ", ".join(f"{name} {it}" for name, it in prices.get("when", {}).items())
            for tier in prices.get("tiers", [prices]):
                start = [f"from {tier['start']:,} input tokens"] if tier.get("start") else []
                stated = [
                    f"{name} {_shortened(it['price'])} per {it['per']}"
                    for name, it in tier.items()
                    if isinstance(it, dict) and "price" in it
                ]
                if stated:
                    yield {
                        "model": model,
                        "when": ", ".join([when, *start] if when else start) or "-",
                        "prices": ", ".join(stated),
                    }
    for kind in ("aliases", "fallback"):
        for name, target in table[kind].items():
            yield {"model": name, "when": kind.removesuffix("es"), "prices": f"as {target}"}


def _shortened(price: str) -> str:
    whole, _, places = price.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def _consequence_words(told: list[dict[str, Any]]) -> Iterator[str]:
    for each in told:
        name = f"{each['provider']} {each['version']}"
        if lost := each["models_without_price"]:
            more = f" and {len(lost) - MODELS_NAMED} more" if len(lost) > MODELS_NAMED else ""
            named = ", ".join(lost[:MODELS_NAMED])
            yield f"{name} has no price for what the table before it priced: {named}{more}"
        if (rerate := each["rerate"]) and rerate["unrated_requests"]:
            yield (
                f"{rerate['unrated_requests']} requests from {rerate['from']} on have no price; those that "
                f"{name} prices are rated by `ledger serve` within a minute, or by `ledger unrated rate`"
            )
        if rerate and rerate["requests"]:
            months = ", ".join(rerate["invoiced_months"])
            invoiced = f" (invoiced already: {months})" if months else ""
            yield (
                f"{rerate['requests']} requests with a price are recorded from {rerate['from']} on"
                f"{invoiced}; they keep it. See the difference with `ledger rerate --from {rerate['from']} "
                f"--to {rerate['to']}`"
            )


def _problems_of(file: Path, currency: str) -> list[dict[str, Any]]:
    try:
        load_rate_table(_text_of(file), str(file), currency=currency)
    except RateFileError as error:
        return [
            {"file": each.file, "line": each.line, "message": each.message}
            for each in error.problems
        ]
    return []


def _text_of(file: Path) -> str:
    """The text of a rate file; bytes that are no UTF-8 become a character that no rule allows."""
    return file.read_text(encoding="utf-8", errors="replace")
