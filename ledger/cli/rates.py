"""`ledger rates`."""

from pathlib import Path
from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    ACTOR,
    DONE,
    WITH_PROBLEMS,
    command,
    json_option,
    on_ledger,
    print_json,
    print_table,
    reason_option,
    say,
)
from ledger.services.rates import list_tables, publish_tables
from ledger.settings import read_settings
from pricing import RateFileError, load_rate_table

COLUMNS = {
    "provider": "provider",
    "version": "version",
    "effective_from": "effective from",
    "currency": "currency",
    "file": "file",
}
FILES = click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@click.group("rates")
def command_group() -> None:
    """Check, publish and list rate tables."""


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
            say(f"{len(files)} files are fine.")
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
    if as_json:
        print_json({"published": new})
    elif new:
        print_table("Published", COLUMNS, new)
    else:
        say("All of them are published already.")


@command_group.command("list")
@json_option
@on_ledger
async def list_(ledger: Ledger, *, as_json: bool) -> None:
    """List published rate tables."""
    rows = await list_tables(ledger.database)
    if as_json:
        print_json({"rate_tables": rows})
    else:
        print_table("Rate tables", COLUMNS, rows)


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
