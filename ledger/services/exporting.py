"""Exports: CSV files with a manifest, all of one state, and the same bytes as a stream."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.clock import Clock
from ledger.core.cuts import format_as_of
from ledger.core.errors import InvalidParameter, NotFound
from ledger.exports.csv_files import CsvFile, file_name
from ledger.exports.files import pending_files
from ledger.exports.line_ends import LineEnds
from ledger.exports.manifest import NAME, ExportedFile, build_manifest, manifest_bytes
from ledger.store.database import Connection, Database
from ledger.store.exports import EXPORTS, Selection, copy_rows, read_sums, stream_rows
from ledger.store.log import read_cut

Progress = Callable[[str, int], None]  # the name of an export and its rows so far


async def export_files(
    database: Database,
    clock: Clock,
    names: Sequence[str],
    start_at: datetime,
    end_at: datetime,
    output: Path,
    *,
    currency: str,
    compression: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write exports over `[start_at, end_at)` into a folder; give the manifest, which is written last.

    All files show one state. The same state gives the same bytes again. `compression` is `gzip`, `zstd` or
    None.

    Raises:
        NotFound: there is no such export.
        InvalidParameter: an empty span, or nothing to export.
        SetupError: the folder cannot be written to; the detail says what to do.
    """
    selection = _selection(names, start_at, end_at, currency)
    with pending_files(output) as open_file:
        async with database.snapshot() as connection:
            as_of = format_as_of(clock.now(), await read_cut(connection))
            files = []
            for name in dict.fromkeys(names):
                file = CsvFile(open_file(file_name(name, compression)), compression)
                files.append(await _export(connection, name, selection, file, progress))
        manifest = build_manifest(start_at, end_at, as_of, currency, files)
        open_file(NAME).write(manifest_bytes(manifest))
    return manifest


def stream_csv(
    database: Database,
    name: str,
    start_at: datetime,
    end_at: datetime,
    *,
    caller: str,
    customer_id: str | None = None,
    currency: str,
) -> AsyncIterator[bytes]:
    """The file of an export as a stream, for all customers or one. Close it (`aclose`) to stop early.

    One caller, by whatever name, has a share of the streams that may run at once. Beside what is raised
    here, the first chunk raises TooBusy when that, or all of them, are running.

    Raises:
        NotFound: there is no such export.
        InvalidParameter: an empty span.
    """
    selection = _selection([name], start_at, end_at, currency, customer_id)
    return _translated(stream_rows(database, caller, name, selection))


async def _translated(chunks: Any) -> AsyncIterator[bytes]:
    line_ends = LineEnds()
    try:
        async for chunk in chunks:
            yield line_ends.translate(chunk)
    finally:
        await chunks.aclose()


async def _export(
    connection: Connection,
    name: str,
    selection: Selection,
    file: CsvFile,
    progress: Progress | None,
) -> ExportedFile:
    async def write(chunk: bytes) -> None:
        file.write(chunk)
        if progress is not None:
            progress(name, file.rows)

    rows = await copy_rows(connection, name, selection, write)
    return file.finish(rows, await read_sums(connection, name, selection))


def _selection(
    names: Sequence[str],
    start_at: datetime,
    end_at: datetime,
    currency: str,
    customer_id: str | None = None,
) -> Selection:
    known = ", ".join(EXPORTS)
    for name in names:
        if name not in EXPORTS:
            raise NotFound(f"no export {name!r}; there are {known}")
    if not names:
        raise InvalidParameter("names", f"must name at least one of {known}")
    if start_at >= end_at:
        raise InvalidParameter("to", "must be later than from")
    return Selection(start_at, end_at, currency, customer_id)
