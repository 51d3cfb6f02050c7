"""Limits asked for by many at once: few queries, and each is told what was asked, as it is by then."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from ledger.core.errors import DatabaseUnavailable, TooBusy
from ledger.services import gathered, limit_questions
from ledger.services.limit_questions import LimitQuestions
from ledger.store.database import Database

WHOLE, OF_ONE = Database(""), Database("")


class Book:
    """What limits there are, by customer; a reading of it can be held up, and fail."""

    def __init__(self) -> None:
        self.amounts = {"acme": ["100.00", "5.00"], "birch": ["7.00"]}
        self.readings: list[Sequence[str] | None] = []
        self.databases: list[Database] = []
        self.failure: Exception | None = None
        self.began = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def read(
        self, database: Database, customers: Sequence[str] | None
    ) -> list[dict[str, Any]]:
        """In the place of the query; what is read is what is there when it begins."""
        self.readings.append(customers)
        self.databases.append(database)
        self.began.set()
        limits = [
            {"customer_id": customer, "amount": amount}
            for customer, amounts in self.amounts.items()
            for amount in amounts
            if customers is None or customer in customers
        ]
        await self.may_answer.wait()
        if self.failure is not None:
            raise self.failure
        return limits


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Book:
    """A book that is read in place of the table."""
    made = Book()
    monkeypatch.setattr(limit_questions, "list_limits", made.read)
    return made


async def amounts(questions: LimitQuestions, *customers: str) -> list[str]:
    """What the limits of some customers are, asked for by a key that may see all."""
    return [limit["amount"] for limit in await questions.ask(WHOLE, customers)]


async def test_many_questions_are_few_queries(book: Book) -> None:
    """Each is told of its customer alone, in the order of the query; nothing of one without limits."""
    questions = LimitQuestions(WHOLE)

    told = await asyncio.gather(
        *(amounts(questions, name) for name in ("acme", "birch", "cedar") * 30)
    )

    assert told == [["100.00", "5.00"], ["7.00"], []] * 30
    assert len(book.readings) <= 2


async def test_a_question_is_answered_by_a_query_that_began_later(book: Book) -> None:
    """What was set before it was asked is in the answer, though a query was under way."""
    questions = LimitQuestions(WHOLE)
    book.may_answer.clear()
    first = asyncio.create_task(amounts(questions, "acme"))
    await book.began.wait()
    book.amounts["acme"] = ["1.00"]
    second = asyncio.create_task(amounts(questions, "acme"))
    await asyncio.sleep(0)
    book.may_answer.set()

    assert await first == ["100.00", "5.00"]
    assert await second == ["1.00"]


async def test_other_questions_go_their_own_way(book: Book) -> None:
    """About all customers, about several, and through a database that shows one customer's rows."""
    questions = LimitQuestions(WHOLE)

    await questions.ask(WHOLE, None)
    await questions.ask(WHOLE, ["acme", "birch"])
    await questions.ask(OF_ONE, ["acme"])

    assert book.readings == [None, ["acme", "birch"], ["acme"]]
    assert book.databases == [WHOLE, WHOLE, OF_ONE]


async def test_a_failure_reaches_all_who_wait_and_ends_with_them(book: Book) -> None:
    """The next question is a new query."""
    questions = LimitQuestions(WHOLE)
    book.failure = DatabaseUnavailable("away")
    told = await asyncio.gather(
        *(amounts(questions, name) for name in ("acme", "birch")), return_exceptions=True
    )
    assert [type(each) for each in told] == [DatabaseUnavailable] * 2

    book.failure = None
    assert await amounts(questions, "birch") == ["7.00"]


async def test_who_leaves_takes_the_answer_from_nobody(book: Book) -> None:
    """Two wait for the same; one goes."""
    questions = LimitQuestions(WHOLE)
    book.may_answer.clear()
    leaving, staying = (asyncio.create_task(amounts(questions, "birch")) for _ in range(2))
    await book.began.wait()
    leaving.cancel()
    book.may_answer.set()

    assert await staying == ["7.00"]


async def test_no_more_wait_than_may(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes then is told to come again."""
    monkeypatch.setattr(gathered, "MOST_WAITING", 1)
    questions = LimitQuestions(WHOLE)
    book.may_answer.clear()
    first = asyncio.create_task(amounts(questions, "acme"))
    await book.began.wait()
    second = asyncio.create_task(amounts(questions, "birch"))
    await asyncio.sleep(0)

    with pytest.raises(TooBusy, match="too many limits are being looked up"):
        await amounts(questions, "cedar")
    book.may_answer.set()
    assert await first == ["100.00", "5.00"]
    assert await second == ["7.00"]
