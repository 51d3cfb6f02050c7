"""A ledger as a folder of files, all of one state, while everybody goes on."""

from collections.abc import Callable
from pathlib import Path

from ledger.clock import Clock
from ledger.core.cuts import format_as_of
from ledger.core.dumps import (
    FORMAT,
    MANIFEST,
    DumpedTable,
    Manifest,
    file_of,
    manifest_text,
    signed,
)
from ledger.exports.dump_files import DumpFile, write_private
from ledger.exports.new_folders import new_folder
from ledger.store.configuration import read_currency
from ledger.store.database import Connection, Database
from ledger.store.dumping import (
    Table,
    copy_out,
    make_steady,
    read_dumped_heads,
    read_schema,
    read_tables,
)

Progress = Callable[[str, int], None]  # the name of a table, or of a check, and its rows so far


async def dump_ledger(
    database: Database, clock: Clock, folder: Path, *, product_version: str, progress: Progress
) -> Manifest:
    """Write all of a ledger into a new folder, from one snapshot; give its manifest, which is written last.

    The folder appears whole or not at all. The same state gives the same text in every file.

    Raises:
        SetupError: the folder is there already and not empty, or cannot be written.
    """
    with new_folder(folder) as pending:
        async with database.snapshot() as connection:
            await make_steady(connection)
            heads = await read_dumped_heads(connection)
            manifest = Manifest(
                format=FORMAT,
                product_version=product_version,
                schema=await read_schema(connection),
                currency=await read_currency(connection),
                as_of=format_as_of(clock.now(), {head.lane: head.batch for head in heads}),
                tables=tuple(
                    [
                        await _dump(connection, table, pending, progress)
                        for table in await read_tables(connection)
                    ]
                ),
                heads=heads,
            )
        manifest = signed(manifest)
        write_private(pending, MANIFEST, manifest_text(manifest))
    return manifest


async def _dump(
    connection: Connection, table: Table, folder: Path, progress: Progress
) -> DumpedTable:
    file = DumpFile(folder, file_of(table.name))

    async def write(text: bytes) -> None:
        file.write(text)
        progress(table.name, file.rows)

    try:
        rows = await copy_out(connection, table, write)
        file.complete()
    finally:
        file.close()
    return DumpedTable(
        table=table.name,
        file=file.name,
        columns=tuple(table.columns),
        rows=rows,
        text_bytes=file.text_bytes,
        file_bytes=file.file_bytes,
        sha256=file.sha256,
    )
