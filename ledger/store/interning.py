"""Customers and dimensions as small numbers. Interned once, in transactions of their own, cached for ever."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledger.core.errors import TooManyDimensions
from ledger.core.rows import Dimension
from ledger.store.database import Connection
from ledger.store.sql_files import query

# Senders choose what they call their models. Names that no table lists are without number and must not take
# all the room: a quarter of it is for what is listed by name, another for what has a price at all.
MAX_DIMENSIONS = 100_000
MAX_UNLISTED_DIMENSIONS = MAX_DIMENSIONS * 3 // 4
MAX_UNRATED_DIMENSIONS = MAX_DIMENSIONS // 2
_KEY_TYPE = 2  # its place among the words of a dimension
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
        """Learn the numbers of dimensions, creating those that are new as far as there is room.

        Raises:
            TooManyDimensions: there was not for all of them; those stay unknown. There may be 100,000, of
                them 75,000 that no table lists by name, and of these 50,000 without a price.
        """
        wanted = dict.fromkeys(each for each in dimensions if each not in self.dimensions)
        if not wanted:
            return
        await self._fetch_dimensions(connection, wanted)
        missing = [each for each in wanted if each not in self.dimensions]
        if not missing:
            return
        counts = list(await connection.fetchrow(_COUNT_DIMENSIONS))
        if fitting := _fitting(missing, counts):
            await connection.execute(_ADD_DIMENSIONS, *zip(*fitting, strict=True))
            await self._fetch_dimensions(connection, fitting)
        if len(fitting) < len(missing):
            raise TooManyDimensions(
                f"the ledger may have {MAX_DIMENSIONS} combinations of provider, model, tier and versions, "
                f"{MAX_UNRATED_DIMENSIONS} of them without a price"
            )

    async def learn_words(
        self, connection: Connection, customers: Iterable[int], dimensions: Iterable[int]
    ) -> None:
        """Learn what numbers stand for. Those that stand for nothing stay unknown."""
        if unknown := [each for each in customers if each not in self.customer_words]:
            self.customer_words.update(await read_customer_words(connection, unknown))
        if unknown := [each for each in dimensions if each not in self.dimension_words]:
            self.dimension_words.update(await read_dimension_words(connection, unknown))

    def know_customers(self, customers: Mapping[int, str]) -> None:
        """Take over the ids of customers by number from who has read them."""
        self.customer_words.update({number: (name,) for number, name in customers.items()})

    def is_byok(self, dimension: int) -> bool:
        """Whether a dimension whose words are known is of the callers' own keys."""
        return bool(self.dimension_words[dimension][_KEY_TYPE] == "byok")

    async def learn_meters(self, connection: Connection, dimensions: Iterable[int]) -> None:
        """Learn which version of a meter dimensions have."""
        if unknown := [each for each in dimensions if each not in self.meter_versions]:
            self.meter_versions.update(await connection.fetch(_DIMENSION_METERS, unknown))

    async def _fetch_customers(self, connection: Connection, customer_ids: Iterable[str]) -> None:
        for row in await connection.fetch(_CUSTOMERS, list(customer_ids)):
            self.customers[row["customer_id"]] = row["customer"]

    async def _fetch_dimensions(
        self, connection: Connection, dimensions: Iterable[Dimension]
    ) -> None:
        columns = zip(*dimensions, strict=True)
        for number, *values in await connection.fetch(_DIMENSIONS, *columns):
            dimension = Dimension(*values)
            self.dimensions[dimension] = number
            self.meter_versions[number] = dimension.meter_version


def _fitting(missing: Iterable[Dimension], counts: list[int]) -> list[Dimension]:
    """Those that there is room for, listed ones first. `counts`: all there are, the unlisted, the unrated."""
    bounds = (MAX_DIMENSIONS, MAX_UNLISTED_DIMENSIONS, MAX_UNRATED_DIMENSIONS)
    fitting = []
    for dimension in sorted(missing, key=_bounds_met):
        met = range(_bounds_met(dimension))
        if all(counts[bound] < bounds[bound] for bound in met):
            fitting.append(dimension)
            for bound in met:
                counts[bound] += 1
    return fitting


def _bounds_met(dimension: Dimension) -> int:
    """How many of the bounds count a dimension: that of all, that of the unlisted, that of the unrated."""
    if dimension.rate_version is None:
        return 3
    return 1 if dimension.billed_as is None else 2


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
