"""Asking for limits before every call: what many ask about one customer each is one query."""

from collections.abc import Collection, Sequence
from typing import Any

from ledger.services.gathered import Gathered
from ledger.services.limits import list_limits
from ledger.store.database import Database


class LimitQuestions:
    """The limits in a database, for many who ask at once. What is answered was read after it was asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathered = Gathered(self._read, "limits")

    async def ask(
        self, database: Database, customers: Sequence[str] | None
    ) -> Sequence[dict[str, Any]]:
        """The limits of some customers, or of all; those of one are asked for together with others'.

        Nobody who asks through a database of his own, which shows him his rows, asks together with anybody.
        """
        if database is self._database and customers is not None and len(customers) == 1:
            return await self._gathered.look_up(customers[0]) or ()
        return await list_limits(database, customers)

    async def _read(self, customers: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        limits: dict[str, list[dict[str, Any]]] = {}
        for limit in await list_limits(self._database, list(customers)):
            limits.setdefault(limit["customer_id"], []).append(limit)
        return limits
