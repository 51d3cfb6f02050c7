"""The rate book: which published table is in force for a provider at an instant."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from pricing.rate_table import RateTable


class PublishedTable(Struct, frozen=True):
    """A rate table that has been published, which makes it immutable.

    Attributes:
        version_id: Rises in the order of publication.
        table: What was published.
    """

    version_id: int
    table: RateTable


class RateBook:
    """Every table published so far, ready to be looked up for each event.

    At any instant exactly one table of a provider is in force: the one with the latest
    `effective_from` that has come, the last published among equals. It replaces earlier ones
    whole; a model that it does not list has no price, even if an older table has one.
    """

    def __init__(self, tables: Iterable[PublishedTable]) -> None:
        self._versions = tuple(sorted(tables, key=lambda published: published.version_id))
        self._by_version_id = {published.version_id: published for published in self._versions}
        self._timelines: dict[str, tuple[list[datetime], list[PublishedTable]]] = {}
        self._changes = sorted({published.table.effective_from for published in self._versions})
        providers_by_model: dict[str, set[str]] = {}
        # A stable sort keeps the order of publication among equal instants.
        for published in sorted(self._versions, key=lambda each: each.table.effective_from):
            table = published.table
            starts, in_order = self._timelines.setdefault(table.provider, ([], []))
            starts.append(table.effective_from)
            in_order.append(published)
            for model in (*table.models, *table.aliases):
                providers_by_model.setdefault(model, set()).add(table.provider)
        self._providers_by_model = {
            model: sorted(providers) for model, providers in providers_by_model.items()
        }

    def in_force(self, provider: str, at: datetime) -> PublishedTable | None:
        """Give the table of a provider that counts at an aware instant, or None before the first.

        Raises:
            TypeError: The instant is naive.
        """
        timeline = self._timelines.get(provider)
        if timeline is None:
            return None
        starts, in_order = timeline
        position = bisect_right(starts, at)
        return in_order[position - 1] if position else None

    def stretch_of(self, at: datetime) -> int:
        """Number the stretch of time that an instant lies in; within one no table comes into force."""
        return bisect_right(self._changes, at)

    def published(self, version_id: int) -> PublishedTable:
        """Give the table that was published under a number.

        Raises:
            KeyError: There is none.
        """
        return self._by_version_id[version_id]

    def providers_listing(self, model: str, at: datetime) -> list[str]:
        """Name the providers, sorted, whose table in force at an instant lists the model."""
        return [
            provider
            for provider in self._providers_by_model.get(model, ())
            if (published := self.in_force(provider, at)) and published.table.lists(model)
        ]

    def versions(self) -> tuple[PublishedTable, ...]:
        """Give every table in the order of publication."""
        return self._versions
