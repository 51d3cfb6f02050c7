"""Reading and erasing the words of a request."""

from collections.abc import Sequence

import msgspec
from asyncpg.pgproto.pgproto import UUID

from ledger.core.redaction import Words
from ledger.store.database import Connection
from ledger.store.sql_files import query

_WORDS = query("redaction", "words")
_ERASE = query("redaction", "erase")


class Worded(msgspec.Struct, frozen=True):
    """The words under one revision of a request, and what was erased of them before."""

    revision: int
    words: Words
    redacted: tuple[str, ...]


class LeftOver(msgspec.Struct, frozen=True):
    """What is left under one revision, under a salt of its own."""

    revision: int
    words: Words
    salt: bytes


async def read_words(connection: Connection, bits: bytes, customer: int) -> list[Worded]:
    """The words of a request by revision, held until the transaction ends."""
    return [
        Worded(
            row["revision"],
            Words(
                row["response_id"],
                msgspec.json.decode(row["metadata"]) if row["metadata"] else None,
                row["fields"],
            ),
            tuple(row["redacted"] or ()),
        )
        for row in await connection.fetch(_WORDS, UUID(bits), customer)
    ]


async def write_left_over(
    connection: Connection,
    bits: bytes,
    customer: int,
    erased: Sequence[str],
    left_over: Sequence[LeftOver],
) -> None:
    """Erase words: only what is left over stays."""
    await connection.execute(
        _ERASE,
        UUID(bits),
        customer,
        list(erased),
        [each.revision for each in left_over],
        [each.words.response_id for each in left_over],
        [_json(each.words.metadata) for each in left_over],
        [each.words.fields for each in left_over],
        [each.salt for each in left_over],
    )


def _json(metadata: dict[str, str] | None) -> str | None:
    return None if metadata is None else msgspec.json.encode(metadata).decode()
