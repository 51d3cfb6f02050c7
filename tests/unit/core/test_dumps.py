"""The manifest of a dump: read as it was written, and refused when anything about it is not right."""

import json
from typing import Any

import msgspec
import pytest

from ledger.core.dumps import (
    MANIFEST,
    DumpedHead,
    DumpedSchema,
    DumpedTable,
    Manifest,
    file_of,
    manifest_text,
    read_manifest,
    require_files,
    require_tables,
    schema_digest,
    signed,
)
from ledger.core.errors import InvalidParameter

HEX = "0123456789abcdef" * 4
BATCH = DumpedTable("batch", "batch.copy.zst", ("lane", "batch"), 2, 8, 17, HEX)
CUSTOMER = DumpedTable("customer", "customer.copy.zst", ("customer",), 3, 9, 18, HEX)
WHOLE = signed(
    Manifest(
        format=1,
        product_version="0.1.0",
        schema=DumpedSchema("0015_jobs", HEX, "2025-11", "2028-11"),
        currency="USD",
        as_of="2026-11-20T12:00:00Z~1-2.7-9",
        tables=(BATCH, CUSTOMER),
        heads=(DumpedHead(1, 2, HEX), DumpedHead(7, 9, None)),
    )
)


def changed(**changes: Any) -> bytes:
    """The manifest with other fields, signed anew."""
    return manifest_text(signed(msgspec.structs.replace(WHOLE, **changes)))


def edited(old: str, new: str) -> bytes:
    """The manifest with its text changed, as an editor does."""
    text = manifest_text(WHOLE).decode()
    assert old in text
    return text.replace(old, new, 1).encode()


def replaced(**changes: Any) -> tuple[DumpedTable, ...]:
    """The tables, the first with other fields."""
    return (msgspec.structs.replace(BATCH, **changes), CUSTOMER)


def test_a_manifest_is_read_as_it_was_written() -> None:
    """Whatever its spaces are; it says how many rows and which cut it is of."""
    assert read_manifest(manifest_text(WHOLE)) == WHOLE
    assert read_manifest(json.dumps(json.loads(manifest_text(WHOLE))).encode()) == WHOLE
    assert WHOLE.rows == 5
    assert WHOLE.cut == {1: 2, 7: 9}


def test_a_dump_of_an_empty_ledger_has_no_heads() -> None:
    """Its cut is the empty one."""
    empty = changed(heads=(), as_of="2026-11-20T12:00:00Z~", currency=None)
    assert read_manifest(empty).cut == {}


@pytest.mark.parametrize(
    "text",
    [b"", b"no", b"[]", b"{}", b"\xff", b"[" * 10_000, b'{"format": "1"}', b'{"format": 1}'],
)
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    """In words of its own."""
    with pytest.raises(InvalidParameter, match=r"manifest\.json: is not what `ledger dump` writes"):
        read_manifest(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (changed(format=2), "is of format 2, and this version reads 1; load it with"),
        (edited('"format": 1', '"format": 2, "more": 5'), "is of format 2"),
        (edited('"rows": 2', '"rows": 3'), "was changed since it was written"),
        (edited('"USD"', '"EUR"'), "was changed since it was written"),
        (edited('"rows": 2', '"rows": -2'), "is not what"),
        (edited('"rows": 2', '"rows": 2.5'), "is not what"),
        (edited('"currency"', '"more": 1, "currency"'), "is not what"),
        (edited(HEX, "x"), "is not what"),
        (changed(tables=(BATCH, BATCH)), "names a table or a lane twice"),
        (changed(heads=(WHOLE.heads[0], WHOLE.heads[0])), "names a table or a lane twice"),
        (changed(tables=replaced(file="../batch.copy.zst")), "the file of 'batch' must be"),
        (
            changed(tables=replaced(table="../batch", file="../batch.copy.zst")),
            "the file of '../batch' must be",
        ),
        (
            changed(tables=replaced(table="b\0", file="b\0.copy.zst")),
            "must be",
        ),
        (
            changed(schema=msgspec.structs.replace(WHOLE.schema, last_month="2025-10")),
            "its months end before they begin",
        ),
        (
            changed(schema=msgspec.structs.replace(WHOLE.schema, last_month="2028-12\n")),
            "is not what",
        ),
        (changed(heads=WHOLE.heads[:1]), "its heads are not those of its as_of"),
        (changed(as_of="2026-11-20"), "its heads are not those of its as_of"),
        (changed(as_of="some day"), "its heads are not those of its as_of"),
    ],
)
def test_a_manifest_that_is_not_right_is_refused(text: bytes, complaint: str) -> None:
    """Edited, of another format, with names that lead out of the folder, or at odds with itself."""
    with pytest.raises(InvalidParameter) as refused:
        read_manifest(text)
    assert refused.value.detail.startswith("manifest.json: ")
    assert complaint in refused.value.detail


def test_a_folder_has_the_files_of_the_manifest_and_no_others() -> None:
    """One that is missing, and one that is too many, is named."""
    files = [MANIFEST, BATCH.file, CUSTOMER.file]
    require_files(WHOLE, files)
    with pytest.raises(InvalidParameter, match=r"batch\.copy\.zst: is missing"):
        require_files(WHOLE, [MANIFEST, CUSTOMER.file])
    with pytest.raises(InvalidParameter, match=r"notes\.txt: is no part of the dump"):
        require_files(WHOLE, [*files, "notes.txt"])


def test_a_dump_has_the_tables_and_columns_of_its_schema() -> None:
    """In whatever order they stand; the table that differs is named."""
    tables = {"batch": ["batch", "lane"], "customer": ["customer"]}
    require_tables(WHOLE, tables)
    for differing in (
        {"batch": ["lane", "batch"]},
        tables | {"customer": ["customer", "customer_id"]},
        tables | {"alert": ["customer"]},
    ):
        with pytest.raises(InvalidParameter, match="differ in it"):
            require_tables(WHOLE, differing)


def test_a_schema_is_known_by_its_migrations() -> None:
    """By the names and the content of all of them, in whatever order they are read."""
    one, two = ("0001_a", "x"), ("0002_b", "y")
    assert schema_digest([one, two]) == schema_digest([two, one])
    assert (
        len({schema_digest(each) for each in ([], [one], [one, two], [one, ("0002_b", "z")])}) == 4
    )
    assert file_of("batch") == BATCH.file
