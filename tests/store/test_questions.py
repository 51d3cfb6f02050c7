"""Sessions are cleaned between their users, but after a question, which leaves nothing in them."""

import pytest

from ledger.store.database import Connection, Database

NAME = "SELECT set_config('application_name', 'mine', false)"
SHOWN = "SELECT current_setting('application_name')"


async def shown(database: Database) -> str:
    """What the next user of the session finds in it."""
    async with database.question() as connection:
        name: str = await connection.fetchval(SHOWN)
        return name


async def leave_name(connection: Connection) -> None:
    """What nobody does in a question, to see whether the session was cleaned."""
    await connection.execute(NAME)


async def fail(database: Database) -> None:
    """A question that ends in the middle."""
    async with database.question() as connection:
        await leave_name(connection)
        raise ZeroDivisionError


async def test_what_a_connection_was_used_for_is_undone(database: Database) -> None:
    """Also when it was used for a question before."""
    assert await shown(database) == "ledger"
    async with database.connection() as connection:
        await leave_name(connection)

    assert await shown(database) == "ledger"


async def test_nothing_is_undone_after_a_question(database: Database) -> None:
    """That saves a round trip; whatever uses the session next is cleaned up after all the same."""
    async with database.question() as connection:
        await leave_name(connection)
    assert await shown(database) == "mine"

    async with database.connection():
        pass
    assert await shown(database) == "ledger"


async def test_a_question_that_fails_is_cleaned_up_after(database: Database) -> None:
    """Nobody knows how far it came."""
    with pytest.raises(ZeroDivisionError):
        await fail(database)

    assert await shown(database) == "ledger"
