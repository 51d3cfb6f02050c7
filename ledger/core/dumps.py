"""The manifest of a dump: which files lie in its folder, what state they are of, and how each is checked.

A manifest vouches for the text of every table and for the head of every lane. Against somebody who writes a
manifest anew there are the digests of the log, and heads that were kept elsewhere.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from ledger.core.cuts import Cut, parse_as_of
from ledger.core.errors import InvalidParameter
from ledger.core.instants import parse_month

FORMAT = 1
MANIFEST = "manifest.json"
ENDING = ".copy.zst"
MAX_MANIFEST_BYTES = 4 * 1024 * 1024

_MOST = 10**18
_Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
_Hex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Month = Annotated[str, msgspec.Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z")]


class DumpedTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table and its file: COPY text in the order of the table's key, compressed.

    `text_bytes` and `sha256` are those of the text, `file_bytes` is the size of the file.
    """

    table: str
    file: str
    columns: tuple[str, ...]
    rows: _Count
    text_bytes: _Count
    file_bytes: _Count
    sha256: _Hex


class DumpedHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last batch of a lane, and its digest in hex; None if the batch is older than digests."""

    lane: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    batch: Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
    digest: _Hex | None


class DumpedSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest migration, the digest of all up to it, and the months that have a partition."""

    migration: str
    digest: _Hex
    first_month: _Month
    last_month: _Month


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a dump says of itself. `sha256` is over its JSON without that field and without spaces."""

    format: int
    product_version: str
    schema: DumpedSchema
    currency: str | None  # None: nobody has opened the ledger since its schema was made
    as_of: str
    tables: tuple[DumpedTable, ...]
    heads: tuple[DumpedHead, ...]
    sha256: str = ""

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(each.rows for each in self.tables)

    @property
    def cut(self) -> Cut:
        """The cut that the heads are of."""
        return {head.lane: head.batch for head in self.heads}


class _Format(msgspec.Struct):
    format: int


def fault(name: str, detail: str) -> InvalidParameter:
    """What is wrong with which file of a dump."""
    return InvalidParameter(name, detail)


def file_of(table: str) -> str:
    """The name of a table's file."""
    return f"{table}{ENDING}"


def schema_digest(migrations: Iterable[tuple[str, str]]) -> str:
    """The SHA-256 over names and digests of migrations, in hex, in the order of their names."""
    return hashlib.sha256(msgspec.json.encode(sorted(migrations))).hexdigest()


def signed(manifest: Manifest) -> Manifest:
    """The manifest with its own digest."""
    return msgspec.structs.replace(manifest, sha256=_digest(manifest))


def manifest_text(manifest: Manifest) -> bytes:
    """The manifest as the file that it becomes."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def read_manifest(text: bytes) -> Manifest:
    """Read what `manifest_text` wrote, and make sure that it is all of it.

    Raises:
        InvalidParameter: it is not, or it is of another format; says what to do.
    """
    wanted = _decode(text, _Format).format
    if wanted != FORMAT:
        raise fault(
            MANIFEST,
            f"is of format {wanted}, and this version reads {FORMAT}; load it with the version that wrote it",
        )
    manifest: Manifest = _decode(text, Manifest)
    if manifest.sha256 != _digest(manifest):
        raise fault(MANIFEST, "was changed since it was written; dump the ledger again")
    _require_consistent(manifest)
    return manifest


def require_files(manifest: Manifest, found: Iterable[str]) -> None:
    """Make sure that a folder has the files of a dump and no others.

    Raises:
        InvalidParameter: one is missing or does not belong there; it is named.
    """
    expected = {MANIFEST, *(each.file for each in manifest.tables)}
    for name in sorted(expected ^ set(found)):
        if name in expected:
            raise fault(name, "is missing; the dump is not whole, copy it again")
        raise fault(name, "is no part of the dump; take it out of the folder")


def require_tables(manifest: Manifest, expected: Mapping[str, Sequence[str]]) -> None:
    """Make sure that a dump has just the tables of a schema, each with its columns.

    Raises:
        InvalidParameter: it has others.
    """
    dumped = {each.table: each.columns for each in manifest.tables}
    for table in sorted(dumped.keys() | expected.keys()):
        if sorted(dumped.get(table, ())) != sorted(expected.get(table, ())):
            raise fault(
                file_of(table), f"the dump and the schema {manifest.schema.migration} differ in it"
            )


def _require_consistent(manifest: Manifest) -> None:
    names = [each.table for each in manifest.tables]
    if len(set(names)) < len(names) or len(manifest.cut) < len(manifest.heads):
        raise fault(MANIFEST, "names a table or a lane twice")
    for each in manifest.tables:
        if each.file != file_of(each.table) or "/" in each.table or "\0" in each.table:
            raise fault(MANIFEST, f"the file of {each.table!r} must be {file_of(each.table)!r}")
    schema = manifest.schema
    if parse_month(schema.first_month).start > parse_month(schema.last_month).start:
        raise fault(MANIFEST, "its months end before they begin")
    if _cut_of(manifest.as_of) != manifest.cut:
        raise fault(MANIFEST, "its heads are not those of its as_of")


def _cut_of(as_of: str) -> Cut | None:
    try:
        return parse_as_of(as_of).cut
    except ValueError:
        return None


def _decode(text: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise fault(MANIFEST, f"is not what `ledger dump` writes: {error}") from None


def _digest(manifest: Manifest) -> str:
    plain = msgspec.to_builtins(manifest)
    del plain["sha256"]
    return hashlib.sha256(msgspec.json.encode(plain)).hexdigest()
