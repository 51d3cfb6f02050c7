"""Reading the rate book: what is published, what is in force at an instant, what a version changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ledger.core.errors import NotFound
from ledger.core.instants import format_instant
from ledger.core.price_lists import combination_text, compare, prices_body
from ledger.store.configuration import load_book, read_published, read_used_since
from ledger.store.database import Connection, Database
from pricing import PublishedTable, RateBook, RateTable


async def list_tables(database: Database) -> list[dict[str, Any]]:
    """Every published version with its prices, by provider and effective date."""
    async with database.connection() as connection:
        rows = await read_published(connection)
        book = await load_book(connection)
    return [_table_body(row, book.published(row["rate_version"]).table) for row in rows]


async def show_tables(
    database: Database,
    *,
    at: datetime | None = None,
    provider: str | None = None,
    version: str | None = None,
) -> list[dict[str, Any]]:
    """The tables in force at an instant, or one version, or all; of one provider or of all.

    Raises:
        NotFound: no such version, or nothing is in force at that instant.
    """
    async with database.connection() as connection:
        rows = await read_published(connection)
        book = await load_book(connection)
    bodies = []
    for row in rows:
        published = book.published(row["rate_version"])
        if provider not in (None, row["provider"]) or version not in (None, row["version"]):
            continue
        if at is not None and book.in_force(row["provider"], at) is not published:
            continue
        bodies.append(_table_body(row, published.table))
    if not bodies:
        raise NotFound(_nothing_shown(rows, provider, version, at))
    return bodies


def _nothing_shown(
    rows: Sequence[Any], provider: str | None, version: str | None, at: datetime | None
) -> str:
    """Why no table is shown."""
    starts = [row["effective_from"] for row in rows if row["provider"] == provider]
    if at is None or version is not None or not starts:
        return "no such rate table; `ledger rates list` shows those that are published"
    first = format_instant(min(starts))
    return (
        f"{provider} has no table in force at {format_instant(at)}; its first counts from {first}"
    )


async def list_models(database: Database, at: datetime) -> list[dict[str, Any]]:
    """The models that the tables in force at an instant list, by provider and id, as Lava lists them."""
    async with database.connection() as connection:
        book = await load_book(connection)
    providers = sorted({each.table.provider for each in book.versions()})
    tables = [found.table for each in providers if (found := book.in_force(each, at))]
    return [
        {
            "id": model,
            "object": "model",
            "created": int(table.effective_from.timestamp()),
            "owned_by": table.provider,
        }
        for table in tables
        for model in sorted({*table.models, *table.aliases})
    ]


async def published_table(database: Database, name: str) -> RateTable:
    """A published version by its name `provider/version`.

    Raises:
        NotFound: there is none of that name.
    """
    async with database.connection() as connection:
        book = await load_book(connection)
    for published in book.versions():
        if f"{published.table.provider}/{published.table.version}" == name:
            return published.table
    raise NotFound(f"no rate table {name!r}; write provider/version, such as fireworks/2026-05-12")


def difference_body(before: RateTable, after: RateTable) -> dict[str, Any]:
    """What one table changes against another: models that come and go, and single prices."""
    changed = [
        {
            "model": each.key.model,
            "when": combination_text(each.key.combination),
            "input_tokens_from": each.key.start,
            "price_of": each.key.rate_key,
            "before": each.before,
            "after": each.after,
        }
        for each in compare(before, after)
    ]
    return {
        "before": f"{before.provider}/{before.version}",
        "after": f"{after.provider}/{after.version}",
        "models_added": sorted(after.models.keys() - before.models.keys()),
        "models_removed": sorted(before.models.keys() - after.models.keys()),
        "aliases_changed": _changed(before.aliases, after.aliases),
        "fallback_changed": _reordered(before.fallback, after.fallback),
        "prices_changed": changed,
    }


async def consequences(
    database: Database, published: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What versions that were just published mean for usage: models without a price, and what to rate anew.

    `published` are the bodies that publishing gave. Versions that change nothing for anybody are left out.
    """
    async with database.connection() as connection:
        book = await load_book(connection)
        told = [await _consequence(connection, book, body) for body in published]
    return [each for each in told if each["models_without_price"] or each["rerate"]]


async def _consequence(
    connection: Connection, book: RateBook, body: dict[str, Any]
) -> dict[str, Any]:
    new = next(
        each
        for each in book.versions()
        if (each.table.provider, each.table.version) == (body["provider"], body["version"])
    )
    until = _next_start(book, new)
    used = await read_used_since(connection, new.table.provider, new.table.effective_from, until)
    rerate = None
    if used["requests"]:
        rerate = {
            "from": format_instant(new.table.effective_from),
            "to": format_instant(until or used["last_hour_end"]),
            "requests": int(used["requests"] - used["unrated"]),
            "unrated_requests": int(used["unrated"]),
            "invoiced_months": [month.isoformat()[:7] for month in used["invoiced_months"]],
        }
    return {
        "provider": new.table.provider,
        "version": new.table.version,
        "models_without_price": _lost_models(book, new),
        "rerate": rerate,
    }


def _lost_models(book: RateBook, new: PublishedTable) -> list[str]:
    """The ids and patterns that a version no longer prices and the one before it in force did."""
    earlier = RateBook(each for each in book.versions() if each is not new)
    before = earlier.in_force(new.table.provider, new.table.effective_from)
    if before is None:
        return []
    named = (*before.table.models, *before.table.aliases, *before.table.fallback)
    return sorted(name for name in named if new.table.find(name) is None)


def _next_start(book: RateBook, new: PublishedTable) -> datetime | None:
    """When another table of the provider takes over from a version."""
    starts = [
        each.table.effective_from
        for each in book.versions()
        if each.table.provider == new.table.provider
        and each.table.effective_from > new.table.effective_from
    ]
    return min(starts, default=None)


def _changed(before: dict[str, str], after: dict[str, str]) -> list[dict[str, str | None]]:
    return [
        {"id": name, "before": before.get(name), "after": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _reordered(before: dict[str, str], after: dict[str, str]) -> list[dict[str, str | None]]:
    """Patterns that are not the same, or not tried in the same order: then all of them, as they are tried."""
    if list(before.items()) == list(after.items()):
        return []
    changed = _changed(before, after)
    return changed or [{"id": name, "before": to, "after": to} for name, to in after.items()]


def _table_body(row: Any, table: RateTable) -> dict[str, Any]:
    return {
        **dict(row),
        "effective_from": format_instant(row["effective_from"]),
        "published_at": row["published_at"] and format_instant(row["published_at"]),
        "models": prices_body(table),
        "aliases": table.aliases,
        "fallback": table.fallback,
    }
