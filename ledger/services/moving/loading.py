"""A dumped ledger into an empty database: everything is checked before anything is committed."""

from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.dumps import (
    MANIFEST,
    DumpedTable,
    Manifest,
    fault,
    read_manifest,
    require_files,
    require_tables,
    schema_digest,
)
from ledger.core.errors import UnprocessableDecision
from ledger.core.instants import parse_month
from ledger.exports.dump_files import checked_text, manifest_in, names_in, require_sizes
from ledger.services.moving.dumping import Progress
from ledger.services.proof.audit import Findings
from ledger.services.proof.seals import prove_log
from ledger.store.configuration import read_currency
from ledger.store.database import Connection, Database, owner_connection
from ledger.store.dumping import copy_in, read_dumped_heads
from ledger.store.failures import DataRefused
from ledger.store.loading import learn_statistics, loading, make_months, make_schema
from ledger.store.migrations import migrate, migrations

Proof = tuple[int, Findings]  # how many events digests were computed of, and what does not match


class Dump(msgspec.Struct, frozen=True):
    """The folder of a dump that looks whole, and its manifest."""

    folder: Path
    manifest: Manifest

    @property
    def is_older(self) -> bool:
        """Whether this version has migrations that the dump has not seen."""
        return self.manifest.schema.migration != migrations()[-1].name


def open_dump(folder: Path, *, currency: str) -> Dump:
    """Look at a dump: manifest, files and their sizes, schema, currency. No database is needed.

    Raises:
        InvalidParameter: it is not whole, not of a form or schema that this version knows, or in a currency
            other than the one asked for; names the file and says what to do.
    """
    names = names_in(folder)
    manifest = read_manifest(manifest_in(folder))
    require_files(manifest, names)
    require_sizes(folder, manifest.tables)
    _require_known_schema(manifest)
    if manifest.currency not in (None, currency):
        raise fault(
            MANIFEST,
            f"is of a ledger in {manifest.currency}; set LEDGER_CURRENCY to that, not {currency}",
        )
    return Dump(folder, manifest)


async def load_ledger(
    url: str, clock: Clock, dump: Dump, *, proving: bool, progress: Progress
) -> dict[str, Any]:
    """Load a dump into an empty database and bring it to this version's schema.

    One transaction: until every file, count and head is what the manifest says, nothing is committed. With
    `proving` the chain of every lane is computed from what was loaded as well: before the commit, or, for a
    dump of an older schema, once the rest of the migrations is applied, because only then it can be; what
    does not match is then in the answer (`ok` false).

    Raises:
        InvalidParameter: the dump is damaged or was changed; nothing was loaded.
        SetupError: the target has something in it, or somebody is at work on it; nothing was loaded.
        UnprocessableDecision: the log was altered before it was dumped (`log_altered`).
    """
    proof = None
    async with owner_connection(url) as connection:
        await make_schema(connection, dump.manifest.schema.migration)
        async with loading(connection) as tables:
            require_tables(dump.manifest, {table.name: table.columns for table in tables})
            await _make_months(connection, dump.manifest, clock)
            for dumped in dump.manifest.tables:
                await _load(connection, dump.folder, dumped, progress)
            await _require_same(connection, dump.manifest)
            progress("statistics", 0)
            await learn_statistics(connection)
            if proving and not dump.is_older:
                progress("digests", 0)
                proof = await prove_log(connection, dump.manifest.cut)
                _require_proved(proof)
    migrated = await migrate(url, clock.now().date())
    if proving and dump.is_older:
        progress("digests", 0)
        proof = await _prove_migrated(url, dump.manifest)
    return _result(dump.manifest, migrated, proof)


def _require_known_schema(manifest: Manifest) -> None:
    schema = manifest.schema
    known = [(each.name, each.digest) for each in migrations() if each.name <= schema.migration]
    if schema.migration not in dict(known):
        raise fault(
            MANIFEST,
            f"is of schema {schema.migration}, which this version does not know; load it with version "
            f"{manifest.product_version} of the ledger or a newer one",
        )
    if schema.digest != schema_digest(known):
        raise fault(
            MANIFEST, f"its migrations up to {schema.migration} are not those of this version"
        )


async def _make_months(connection: Connection, manifest: Manifest, clock: Clock) -> None:
    schema = manifest.schema
    first, last = parse_month(schema.first_month).start, parse_month(schema.last_month).start
    await make_months(connection, first, last, clock.now().date())


async def _load(
    connection: Connection, folder: Path, dumped: DumpedTable, progress: Progress
) -> None:
    """One table; what is wrong with the text is said before what the database makes of it."""
    text = checked_text(folder, dumped, partial(progress, dumped.table))
    try:
        async with aclosing(text):
            rows = await copy_in(connection, dumped.table, dumped.columns, text)
    except DataRefused as error:
        raise fault(dumped.file, f"does not hold rows of {dumped.table} ({error})") from None
    if rows != dumped.rows:
        raise fault(dumped.file, f"has {rows} rows, and the manifest says {dumped.rows}")


async def _require_same(connection: Connection, manifest: Manifest) -> None:
    """Compare what the manifest says about the ledger as a whole with what was loaded."""
    if await read_dumped_heads(connection) != manifest.heads:
        raise fault(MANIFEST, "its heads are not those of the batches in the dump")
    if await read_currency(connection) != manifest.currency:
        raise fault(MANIFEST, "its currency is not that of the ledger in the dump")


def _require_proved(proof: Proof) -> None:
    _, altered = proof
    if altered.count:
        first = altered.offenders[0]
        raise UnprocessableDecision(
            f"the log is not what was sealed, in {altered.count} places, first lane {first['lane']} "
            f"batch {first['batch']}: {first['fault']}. It was altered before it was dumped, or the dump "
            "was: `ledger verify` on the source tells. Nothing was loaded; --no-verify loads it as it is.",
            code="log_altered",
        )


async def _prove_migrated(url: str, manifest: Manifest) -> Proof:
    database = Database(url)
    await database.open()
    try:
        async with database.snapshot() as connection:
            return await prove_log(connection, manifest.cut)
    finally:
        await database.close()


def _result(manifest: Manifest, migrated: list[str], proof: Proof | None) -> dict[str, Any]:
    events, altered = proof or (None, Findings(offenders=[]))
    return {
        "ok": not altered.count,
        "as_of": manifest.as_of,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
        "lanes": [msgspec.to_builtins(head) for head in manifest.heads],
        "migrations": migrated,
        "proved_events": events,
        "offenders": altered.offenders,
    }
