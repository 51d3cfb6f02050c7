"""Reading the configuration that writers cache."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from ledger.core.configuration import Configuration
from ledger.core.limits import SpendLimit
from ledger.store.database import Connection
from ledger.store.limits import limit_from_row
from ledger.store.meters import load_meters
from ledger.store.migrations import require_current
from ledger.store.sql_files import query
from pricing import PublishedTable, RateBook, RateTable, load_rate_table

_ADOPT_CURRENCY = query("configuration", "adopt_currency")
_CURRENCY = query("configuration", "currency")
_HEAD = query("configuration", "head")
_RATE_TABLES = query("configuration", "rate_tables")
_CUSTOMER_METERS = query("configuration", "customer_meters")
_LIMITS = query("limits", "all")
_PUBLISH_RATE_TABLE = query("configuration", "publish_rate_table")
_PUBLISHED_TABLES = query("configuration", "published_tables")
_USED_SINCE = query("configuration", "used_since")


async def load_configuration(connection: Connection) -> Configuration:
    """Read everything that is decided, in one snapshot.

    Must not be called inside a transaction of the connection.

    Raises:
        SetupError: the schema is one that this version must not write to; a migration raises the epoch, so
            whoever writes by an epoch has looked.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await require_current(connection)
        limits: dict[int, list[SpendLimit]] = {}
        for row in await connection.fetch(_LIMITS, None):
            limits.setdefault(row["customer"], []).append(limit_from_row(row))
        epoch, marked_until = await connection.fetchrow(_HEAD)
        return Configuration(
            epoch=epoch,
            book=await load_book(connection),
            meters=await load_meters(connection),
            meter_slugs=dict(await connection.fetch(_CUSTOMER_METERS)),
            limits={customer: tuple(several) for customer, several in limits.items()},
            marked_until=marked_until,
        )


async def adopt_currency(connection: Connection, currency: str) -> str:
    """Give the ledger its currency if it has none yet; tell the one it has."""
    await connection.execute(_ADOPT_CURRENCY, currency)
    adopted: str = await connection.fetchval(_CURRENCY)
    return adopted


async def read_currency(connection: Connection) -> str | None:
    """The currency of the ledger; None until it is opened for the first time."""
    currency: str | None = await connection.fetchval(_CURRENCY)
    return currency


async def load_book(connection: Connection) -> RateBook:
    """Read every published rate table."""
    rows = await connection.fetch(_RATE_TABLES)
    return RateBook(
        PublishedTable(
            row["rate_version"],
            published_content(row["content"], row["file"], row["currency"]),
        )
        for row in rows
    )


async def publish_rate_table(
    connection: Connection, table: RateTable, file: str, content: str
) -> int:
    """Append a rate table; give its number. The caller has raised the epoch."""
    number: int = await connection.fetchval(
        _PUBLISH_RATE_TABLE,
        table.provider,
        table.version,
        table.effective_from,
        table.currency,
        table.source,
        table.fingerprint,
        file,
        content,
    )
    return number


async def read_published(connection: Connection) -> list[Any]:
    """The heads of all published rate tables."""
    rows: list[Any] = await connection.fetch(_PUBLISHED_TABLES)
    return rows


async def read_used_since(
    connection: Connection, provider: str, start_at: datetime, end_at: datetime | None
) -> Any:
    """How much a provider was used in a span, to its end or with no end, and which months were invoiced."""
    return await connection.fetchrow(_USED_SINCE, provider, start_at, end_at)


@lru_cache(maxsize=1000)
def published_content(content: str, file: str, currency: str) -> RateTable:
    """A published text as prices. It never changes, so it is parsed once; another text is another table.

    Raises:
        RateFileError: it was altered, and is no table any more.
    """
    return load_rate_table(content, file, currency=currency)
