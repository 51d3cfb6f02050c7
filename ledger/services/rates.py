"""Publishing rate tables. A published version never changes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger.clock import Clock
from ledger.core.errors import SetupError
from ledger.core.instants import format_instant
from ledger.logs import logger
from ledger.services.decisions import deciding
from ledger.store.configuration import publish_rate_table, read_published
from ledger.store.database import Database
from pricing import (
    RateFileError,
    RateFileProblem,
    RateTable,
    load_rate_table,
    shipped_rate_files,
)

_LOG = logger(__name__)
SHIPPED_CURRENCY = "USD"
_PUBLISHED_OTHERWISE = (
    "this version is published with other content; give the changed table a version of its own"
)


async def publish_tables(
    database: Database,
    clock: Clock,
    actor: str,
    files: Sequence[tuple[str, str]],
    *,
    currency: str,
    reason: str | None = None,
) -> list[dict[str, Any]]:
    """Publish rate files, given as (name, text); versions that are published already are left as they are.

    All are checked before any is published. Gives what is new.

    Raises:
        RateFileError: a fault in a file, or a version that is published with other content; with file
            and line.
    """
    tables = [(file, text, load_rate_table(text, file, currency=currency)) for file, text in files]
    if not await _new_among(database, tables):
        return []  # the usual case at every start; nobody is held off for it
    async with deciding(database, clock, actor, reason=reason) as batch:
        published = {
            (row["provider"], row["version"]): row["fingerprint"]
            for row in await read_published(batch.connection)
        }
        new = []
        for file, text, table in tables:
            if not _is_new(table, file, text, published):
                continue
            await publish_rate_table(batch.connection, table, file, text)
            published[table.provider, table.version] = table.fingerprint
            body = _table_body(table, file)
            batch.record("rate_table_published", 0, f"{table.provider}/{table.version}", body)
            new.append(body)
    for body in new:
        _LOG.info("rate_table_published", provider=body["provider"], version=body["version"])
    return new


async def publish_shipped(
    database: Database, clock: Clock, *, currency: str, rates_dir: Path | None = None
) -> list[dict[str, Any]]:
    """Publish every rate table that comes with the product, if it is in the ledger's currency.

    And those of the operator's own folder, if there is one.
    """
    files = shipped_rate_files() if currency == SHIPPED_CURRENCY else []
    if rates_dir is not None:
        files += _own_files(rates_dir)
    return await publish_tables(database, clock, "migrate", files, currency=currency)


def _own_files(folder: Path) -> list[tuple[str, str]]:
    if not folder.is_dir():
        raise SetupError(f"LEDGER_RATES_DIR: {folder} is no folder")
    paths = sorted(folder.rglob("*.yaml"))
    return [(str(path.relative_to(folder)), path.read_text(errors="replace")) for path in paths]


async def _new_among(database: Database, tables: Sequence[tuple[str, str, RateTable]]) -> bool:
    async with database.connection() as connection:
        published = {
            (row["provider"], row["version"]): row["fingerprint"]
            for row in await read_published(connection)
        }
    # Every table is looked at, so that a version with other content is refused and not overlooked.
    return any([_is_new(table, file, text, published) for file, text, table in tables])  # noqa: C419


def _is_new(table: RateTable, file: str, text: str, published: dict[tuple[str, str], str]) -> bool:
    recorded = published.get((table.provider, table.version))
    if recorded is not None and recorded != table.fingerprint:
        problem = RateFileProblem(file, _version_line(text), _PUBLISHED_OTHERWISE)
        raise RateFileError((problem,))
    return recorded is None


def _version_line(text: str) -> int:
    """The line that names the version; the text has been read as a rate table before."""
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if line.startswith("version")), 1)


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
