"""Publishing rate tables. A published version never changes."""

from collections.abc import Sequence
from typing import Any

from ledger.clock import Clock
from ledger.core.errors import UnprocessableDecision
from ledger.core.instants import format_instant
from ledger.services.decisions import deciding
from ledger.store.configuration import publish_rate_table, read_published
from ledger.store.database import Database
from pricing import RateTable, load_rate_table, shipped_rate_files


async def publish_tables(
    database: Database,
    clock: Clock,
    actor: str,
    files: Sequence[tuple[str, str]],
    *,
    currency: str,
) -> list[dict[str, Any]]:
    """Publish rate files, given as (name, text); versions that are published already are left as they are.

    All are checked before any is published. Gives what is new.

    Raises:
        RateFileError: a fault in a file, with file and line.
        UnprocessableDecision: the version is published with other content.
    """
    tables = [(file, text, load_rate_table(text, file, currency=currency)) for file, text in files]
    if not await _new_among(database, tables):
        return []  # the usual case at every start; nobody is held off for it
    async with deciding(database, clock, actor) as batch:
        published = {
            (row["provider"], row["version"]): row["fingerprint"]
            for row in await read_published(batch.connection)
        }
        new = []
        for file, text, table in tables:
            if not _is_new(table, file, published):
                continue
            await publish_rate_table(batch.connection, table, file, text)
            published[table.provider, table.version] = table.fingerprint
            body = _table_body(table, file)
            batch.record("rate_table_published", 0, f"{table.provider}/{table.version}", body)
            new.append(body)
        return new


async def publish_shipped(
    database: Database, clock: Clock, *, currency: str
) -> list[dict[str, Any]]:
    """Publish every rate table that comes with the product and is in the ledger's currency."""
    if currency != "USD":
        return []
    return await publish_tables(database, clock, "migrate", shipped_rate_files(), currency=currency)


async def list_tables(database: Database) -> list[dict[str, Any]]:
    """Every published version, by provider and effective date."""
    async with database.connection() as connection:
        rows = await read_published(connection)
    return [{**dict(row), "effective_from": format_instant(row["effective_from"])} for row in rows]


async def _new_among(database: Database, tables: Sequence[tuple[str, str, RateTable]]) -> bool:
    async with database.connection() as connection:
        published = {
            (row["provider"], row["version"]): row["fingerprint"]
            for row in await read_published(connection)
        }
    # Every table is looked at, so that a version with other content is refused and not overlooked.
    return any([_is_new(table, file, published) for file, _, table in tables])  # noqa: C419


def _is_new(table: RateTable, file: str, published: dict[tuple[str, str], str]) -> bool:
    recorded = published.get((table.provider, table.version))
    if recorded is not None and recorded != table.fingerprint:
        raise UnprocessableDecision(
            f"{file}: version {table.version} of {table.provider} is published with other content; "
            "give the changed table a version of its own",
            code="version_exists",
        )
    return recorded is None


def _table_body(table: RateTable, file: str) -> dict[str, Any]:
    return {
        "provider": table.provider,
        "version": table.version,
        "effective_from": format_instant(table.effective_from),
        "currency": table.currency,
        "source": table.source,
        "fingerprint": table.fingerprint,
        "file": file,
        "models": len(table.models),
    }
