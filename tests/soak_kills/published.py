"""Rate tables by the times at which they were published, and which of them a record may be rated with."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import inf
from pathlib import Path

from tests.naive import read_quantities, read_tables
from tests.naive_prices import Quantities, Table, Terms, called_as, cost_of, fee_of

Money = tuple[Decimal, Decimal] | None  # cost and fee; None: unrated


@dataclass(slots=True)
class Publication:
    """A version of a rate table: published at some moment between asking for it and the answer."""

    version: str
    table: Table
    asked_s: float = -inf
    answered_s: float = -inf

    def beats(self, other: "Publication") -> bool:
        """Whether it counts wherever both do: the later start, of equals what was published later."""
        ours, theirs = self.table.effective_from, other.table.effective_from
        return ours > theirs or (ours == theirs and self.asked_s > other.asked_s)


class Shelf:
    """All versions; one is published at a time."""

    def __init__(self, publications: Iterable[Publication] = ()) -> None:
        self.publications = list(publications)

    def admissible(
        self, provider: str, occurred_at: datetime, begin_s: float, end_s: float
    ) -> Iterator[Publication | None]:
        """What may have been in force for an event at some moment of a stretch; None: nothing was."""
        known = [
            each
            for each in self.publications
            if each.table.provider == provider and each.table.effective_from <= occurred_at
        ]
        certain = [each for each in known if each.answered_s < begin_s]
        if not certain:
            yield None
        for each in known:
            if each.asked_s <= end_s and not any(other.beats(each) for other in certain):
                yield each


def shipped(folder: Path) -> Iterator[Publication]:
    """The tables that come with the product, published before anything else."""
    files = sorted(folder.glob("*/*.yaml"))
    for file, table in zip(files, read_tables(folder), strict=True):
        yield Publication(file.stem, table)


def money_of(
    statement: dict[str, object],
    quantities: Quantities,
    publication: Publication | None,
    terms: Terms,
) -> Money:
    """What quantities of a statement cost by a version."""
    if publication is None:
        return None
    prices = publication.table.prices_of(str(statement["model"]))
    cost = cost_of(quantities, prices, called_as(statement)) if prices else None
    return None if cost is None else (cost, fee_of(terms, cost, quantities))


def quantities_of(statement: dict[str, object]) -> Quantities:
    """What a statement says was used. Raises ValueError where no record may say so."""
    return read_quantities(statement)
