"""What the quarantine keeps: once each, within bounds, whoever keeps at the same time."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any

import pytest

from ledger.core.errors import FieldError
from ledger.core.keys import Sender
from ledger.core.refused import Room, quarantine_id, reason_for
from ledger.core.statements import Refusal
from ledger.store.database import Connection, Database
from ledger.store.quarantine import (
    QuarantineFilter,
    count_not_kept,
    find_keys,
    keep_refused,
    read_page,
    read_refused,
    remove_refused,
    settle_replayed,
)
from tests.conftest import NOW

CLI, OTHER = Sender("cli"), Sender("lk_0123456789")
ALL = QuarantineFilter()


def refusals(contents: Iterable[object], code: str = "wrong_type") -> list[Refusal]:
    """Records with some contents, each refused."""
    fault = FieldError("images", code, "must be an integer")
    return [Refusal(str(each).encode(), (fault,), f"r{each}", "acme") for each in contents]


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    """A connection to the fresh database."""
    async with database.connection() as opened:
        yield opened


async def rows(connection: Connection) -> list[Any]:
    """All that is kept, with content, first seen first."""
    return list(await read_refused(connection, await find_keys(connection, ALL)))


async def counters(connection: Connection) -> dict[str, tuple[int, int, int]]:
    """The counters of each sender, which agree with what is kept."""
    found = await connection.fetch("SELECT * FROM quarantine_sender")
    for row in found:
        counted = await connection.fetchrow(
            "SELECT count(*) AS kept, coalesce(sum(length(record)), 0) AS kept_bytes FROM quarantine "
            "WHERE customer = $1 AND sender = $2",
            row["customer"],
            row["sender"],
        )
        assert (counted["kept"], counted["kept_bytes"]) == (row["kept"], row["kept_bytes"])
    return {row["sender"]: (row["kept"], row["kept_bytes"], row["not_kept"]) for row in found}


async def test_the_same_again_is_counted(connection: Connection) -> None:
    """Once for each sender, content and reason; when it was seen first and last."""
    later = NOW + timedelta(hours=1)
    await keep_refused(connection, CLI, refusals([1, 1, 2]), NOW)
    await keep_refused(connection, CLI, refusals([2, 3]), later)
    await keep_refused(connection, CLI, refusals([2], "out_of_range"), NOW)
    await keep_refused(connection, OTHER, refusals([2]), NOW)

    assert sorted(
        (row["record"], row["sender"], row["code"], row["sightings"], row["last_seen_at"])
        for row in await rows(connection)
    ) == [
        (b"1", "cli", "wrong_type", 1, NOW),
        (b"2", "cli", "out_of_range", 1, NOW),
        (b"2", "cli", "wrong_type", 2, later),
        (b"2", OTHER.name, "wrong_type", 1, NOW),
        (b"3", "cli", "wrong_type", 1, later),
    ]
    assert await counters(connection) == {"cli": (4, 4, 0), OTHER.name: (1, 1, 0)}


async def test_a_bound_sender_keeps_under_its_customer(connection: Connection) -> None:
    """Whatever customer the record names."""
    await keep_refused(connection, Sender("lk_a", 7, "bolt"), refusals([1]), NOW)
    await keep_refused(connection, Sender("lk_a"), refusals([1]), NOW)

    assert {row["customer"] for row in await rows(connection)} == {0, 7}
    assert [key[0] for key in await find_keys(connection, QuarantineFilter(customer=7))] == [7]
    assert len(await read_page(connection, QuarantineFilter(customer=7), None, 10)) == 1


async def test_a_sender_has_so_much_room(connection: Connection) -> None:
    """Too many records and too many bytes alike; another sender has room of its own."""
    two = Room(records=2, bytes=100)
    await keep_refused(connection, CLI, refusals([1, 2, 3]), NOW, two)
    await keep_refused(connection, CLI, refusals([3, 1, 4]), NOW, two)
    few = Room(records=100, bytes=10)
    await keep_refused(connection, OTHER, refusals([1, "x" * 11, "y" * 9, "z"]), NOW, few)

    # Of the first, two were kept: 1 and 2. Of the second, 1 was kept before, 3 and 4 are not.
    assert await counters(connection) == {"cli": (2, 2, 3), OTHER.name: (2, 10, 2)}
    assert {row["record"] for row in await rows(connection)} == {b"1", b"2", b"y" * 9}
    assert {row["sender"]: row["sightings"] for row in await rows(connection) if row["record"] == b"1"} == {
        "cli": 2, OTHER.name: 1,
    }  # fmt: skip
    assert await count_not_kept(connection, ALL) == 5
    assert await count_not_kept(connection, QuarantineFilter(sender="cli")) == 3
    assert await count_not_kept(connection, QuarantineFilter(customer=1)) == 0


async def test_a_hint_may_need_the_room_that_its_secret_had_not(connection: Connection) -> None:
    """What is counted is what is kept."""
    await keep_refused(connection, CLI, refusals(['{"key": "a"}']), NOW, Room(10, 15))

    assert await counters(connection) == {"cli": (0, 0, 1)}


async def test_what_is_taken_out_gives_its_room_back(connection: Connection) -> None:
    """What is not there is not counted."""
    await keep_refused(connection, CLI, refusals([1, 22]), NOW, Room(2, 3))
    kept = await rows(connection)

    async with connection.transaction():
        assert [row["quarantine_id"] for row in await remove_refused(connection, kept[:1])] == [
            kept[0]["quarantine_id"]
        ]
        assert await remove_refused(connection, kept[:1]) == []

    assert (await counters(connection))["cli"][0] == 1
    await keep_refused(connection, CLI, refusals([4]), NOW, Room(2, 100))
    assert (await counters(connection))["cli"][0] == 2


@pytest.mark.parametrize("most", [1, 5, 17, 1000])
async def test_writers_that_keep_at_once_keep_once(database: Database, most: int) -> None:
    """Two at a time on one sender, the same records and others: as many as there is room for, no error."""
    room = Room(records=most, bytes=1000)

    async def keep_many(start: int) -> None:
        for step in range(10):
            async with database.connection() as connection:
                contents = range(start + step, start + step + 10)
                await keep_refused(connection, CLI, refusals(contents), NOW, room)

    await asyncio.gather(keep_many(0), keep_many(5), keep_many(0))

    async with database.connection() as connection:
        kept, _, not_kept = (await counters(connection))["cli"]
        sightings = sum(row["sightings"] for row in await rows(connection))
    assert kept == min(most, 24)  # 0 to 23
    assert sightings + not_kept == 3 * 10 * 10
    assert bool(not_kept) == (most < 24)


async def test_keeping_and_taking_out_do_not_wait_for_each_other_for_ever(
    database: Database,
) -> None:
    """Whoever changes what is kept locks the sender first."""

    async def keep(connection: Connection) -> None:
        await keep_refused(connection, CLI, refusals(range(20)), NOW)

    async def take_out(connection: Connection) -> None:
        async with connection.transaction():
            await remove_refused(connection, reversed(await rows(connection)))

    async def repeat(work: Any) -> None:
        for _ in range(15):
            async with database.connection() as connection:
                await work(connection)

    async with asyncio.timeout(60):
        await asyncio.gather(repeat(keep), repeat(take_out), repeat(keep), repeat(take_out))

    async with database.connection() as connection:
        await counters(connection)


async def test_a_new_reason_gives_a_new_id(connection: Connection) -> None:
    """The same record under another reason; its first and last sightings stay."""
    await keep_refused(connection, CLI, refusals([1, 2]), NOW)
    first, second = await rows(connection)
    same = reason_for([FieldError("a", "wrong_type", "another word")], conflict=False)
    other = reason_for([FieldError("b", "differs", "contradicts")], conflict=True)

    await settle_replayed(connection, [], [(first, same), (second, other)])

    now = {row["record"]: row for row in await rows(connection)}
    one, two = now[first["record"]], now[second["record"]]
    assert (one["quarantine_id"], one["field"]) == (first["quarantine_id"], "a")
    assert two["quarantine_id"] == quarantine_id("cli", "differs", second["digest"])
    assert (two["outcome"], two["code"], two["detail"]) == (
        "conflict",
        "differs",
        "b: contradicts",
    )
    assert two["first_seen_at"] == NOW
    assert await counters(connection) == {"cli": (2, 2, 0)}


async def test_a_new_reason_that_is_there_already_takes_it_in(connection: Connection) -> None:
    """One row with the sightings of both, from the first to the last of them."""
    later = NOW + timedelta(hours=1)
    await keep_refused(connection, CLI, refusals([1]), NOW)
    [old] = await rows(connection)
    await keep_refused(connection, CLI, refusals([1], "other"), later)
    reason = reason_for([FieldError("b", "other", "is so")], conflict=False)

    await settle_replayed(connection, [], [(old, reason), (old, reason)])

    [row] = await rows(connection)
    assert (row["code"], row["sightings"]) == ("other", 2)
    assert (row["first_seen_at"], row["last_seen_at"]) == (NOW, later)
    assert await counters(connection) == {"cli": (1, 1, 0)}


async def test_what_was_taken_out_meanwhile_stays_out(connection: Connection) -> None:
    """A replay that is late does not bring it back."""
    await keep_refused(connection, CLI, refusals([1, 2]), NOW)
    first, second = await rows(connection)
    async with connection.transaction():
        await remove_refused(connection, [first, second])
    reason = reason_for([FieldError("b", "other", "is so")], conflict=False)

    await settle_replayed(connection, [second], [(first, reason)])

    assert await rows(connection) == []
    assert await counters(connection) == {"cli": (0, 0, 0)}


async def test_texts_that_cannot_be_stored_break_nothing(connection: Connection) -> None:
    """They are replaced, and whoever looks for them finds nothing and no error."""
    fault = FieldError("a\x00\ud800", "wrong_type", "got \x00\udfff")
    refusal = Refusal(b"\x00\xff", (fault,), "r\x00", "c\ud800")

    await keep_refused(connection, CLI, [refusal], NOW)

    [row] = await rows(connection)
    assert (row["field"], row["request_id"], row["customer_id"]) == ("a\ufffd?", "r\ufffd", "c?")
    assert row["record"] == b"\x00\xff"
    assert await find_keys(connection, ALL, ["q\x00", "\ud800"]) == []
    assert await read_page(connection, QuarantineFilter(sender="\x00\ud800"), None, 1) == []
