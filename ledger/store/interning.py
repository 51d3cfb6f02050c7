"""Customers and dimensions as small numbers. Interned once, in transactions of their own, cached for ever."""

from collections.abc import Iterable, Sequence
from typing import Any

from ledger.core.errors import TooManyDimensions
from ledger.core.rows import Dimension
from ledger.store.database import Connection
from ledger.store.sql_files import query

MAX_DIMENSIONS = 100_000
LATER_WORDS = 4  # region, accelerator, billed_as, the terms of the meter

_CUSTOMERS = query("interning", "customers")
_ADD_CUSTOMERS = query("interning", "add_customers")
_COUNT_DIMENSIONS = query("interning", "count_dimensions")
_ADD_DIMENSIONS = query("interning", "add_dimensions")
_DIMENSIONS = query("interning", "dimensions")
_CUSTOMER_WORDS = query("interning", "customer_words")
_DIMENSION_WORDS = query("interning", "dimension_words")
_DIMENSION_METERS = query("interning", "dimension_meters")


class Interned:
    """The numbers known to this process. What is interned never changes, so the cache is never wrong."""

    def __init__(self) -> None:
        self.customers: dict[str, int] = {}
        self.dimensions: dict[Dimension, int] = {}
        # The way back: what a number stands for, as it is spelled out in digests.
        self.customer_words: dict[int, tuple[Any, ...]] = {}
        self.dimension_words: dict[int, tuple[Any, ...]] = {}
        # The version of the meter that a dimension has; None where it has none.
        self.meter_versions: dict[int, int | None] = {}

    async def learn_customers(
        self, connection: Connection, customer_ids: Iterable[str], *, create: bool
    ) -> None:
        """Learn the numbers of customers, creating those that are new if `create`; others stay unknown."""
        unknown = {name for name in customer_ids if name not in self.customers}
        if not unknown:
            return
        await self._fetch_customers(connection, unknown)
        missing = [name for name in unknown if name not in self.customers]
        if missing and create:
            await connection.execute(_ADD_CUSTOMERS, missing)
            await self._fetch_customers(connection, missing)

    async def learn_dimensions(
        self, connection: Connection, dimensions: Iterable[Dimension]
    ) -> None:
        """Learn the numbers of dimensions, creating those that are new.

        Raises:
            TooManyDimensions: there would be more than 100,000.
        """
        unknown = {dimension for dimension in dimensions if dimension not in self.dimensions}
        if not unknown:
            return
        columns = [list(column) for column in zip(*unknown, strict=True)]
        await self._fetch_dimensions(connection, columns)
        missing = [dimension for dimension in unknown if dimension not in self.dimensions]
        if not missing:
            return
        if await connection.fetchval(_COUNT_DIMENSIONS) + len(missing) > MAX_DIMENSIONS:
            raise TooManyDimensions(
                f"the ledger may have {MAX_DIMENSIONS} combinations of provider, model, tier and versions"
            )
        columns = [list(column) for column in zip(*missing, strict=True)]
        await connection.execute(_ADD_DIMENSIONS, *columns)
        await self._fetch_dimensions(connection, columns)

    async def learn_words(
        self, connection: Connection, customers: Iterable[int], dimensions: Iterable[int]
    ) -> None:
        """Learn what numbers stand for. Those that stand for nothing stay unknown."""
        if unknown := [each for each in customers if each not in self.customer_words]:
            self.customer_words.update(await read_customer_words(connection, unknown))
        if unknown := [each for each in dimensions if each not in self.dimension_words]:
            self.dimension_words.update(await read_dimension_words(connection, unknown))

    async def learn_meters(self, connection: Connection, dimensions: Iterable[int]) -> None:
        """Learn which version of a meter dimensions have."""
        if unknown := [each for each in dimensions if each not in self.meter_versions]:
            self.meter_versions.update(await connection.fetch(_DIMENSION_METERS, unknown))

    async def _fetch_customers(self, connection: Connection, customer_ids: Iterable[str]) -> None:
        for row in await connection.fetch(_CUSTOMERS, list(customer_ids)):
            self.customers[row["customer_id"]] = row["customer"]

    async def _fetch_dimensions(self, connection: Connection, columns: list[list[Any]]) -> None:
        for number, *values in await connection.fetch(_DIMENSIONS, *columns):
            dimension = Dimension(*values)
            self.dimensions[dimension] = number
            self.meter_versions[number] = dimension.meter_version


async def read_customer_words(
    connection: Connection, customers: Iterable[int] | None = None
) -> dict[int, tuple[Any, ...]]:
    """What the numbers of customers stand for: their ids; of all of them for None."""
    numbers = None if customers is None else list(customers)
    rows = await connection.fetch(_CUSTOMER_WORDS, numbers)
    return {row["customer"]: (row["customer_id"],) for row in rows}


async def read_dimension_words(
    connection: Connection, dimensions: Iterable[int] | None = None
) -> dict[int, tuple[Any, ...]]:
    """What the numbers of dimensions stand for, rate table and meter spelled out."""
    numbers = None if dimensions is None else list(dimensions)
    rows = await connection.fetch(_DIMENSION_WORDS, numbers)
    return {number: _spelled_out(words) for number, *words in rows}


def _spelled_out(words: Sequence[Any]) -> tuple[Any, ...]:
    """The words of a dimension; those that came later are left out where all of them are null."""
    first, later = words[:-LATER_WORDS], words[-LATER_WORDS:]
    return tuple(words if any(word is not None for word in later) else first)
