"""At any instant exactly one published table of a provider is in force."""

from datetime import UTC, datetime

import pytest

from pricing.book import PublishedTable, RateBook
from pricing.model_rates import flat_rates
from pricing.prices import Rate, RateSet
from pricing.rate_table import RateTable

RATES = flat_rates(RateSet({"input_tokens": Rate(1, 1)}))


def day(number: int) -> datetime:
    """Give midnight of a day in January 2026."""
    return datetime(2026, 1, number, tzinfo=UTC)


def published(
    version_id: int, provider: str, from_day: int, *models: str, aliases: tuple[str, ...] = ()
) -> PublishedTable:
    """Make a published table that counts from a day in January 2026."""
    table = RateTable(
        provider=provider,
        version=f"v{version_id}",
        effective_from=day(from_day),
        currency="USD",
        source="",
        models=dict.fromkeys(models, RATES),
        aliases=dict.fromkeys(aliases, models[0]),
        fallback={"any-*": models[0]},
    )
    return PublishedTable(version_id, table)


# id, provider, from day, models; published in the order of the ids, handed over in another.
BOOK = RateBook(
    [
        published(4, "alpha", 20, "large"),
        published(1, "alpha", 10, "small", "large"),
        published(2, "alpha", 20, "small"),
        published(3, "beta", 15, "small"),
        published(5, "alpha", 5, "tiny"),
    ]
)


@pytest.mark.parametrize(
    ("provider", "at", "version_id"),
    [
        ("alpha", day(4), None),
        ("alpha", day(5), 5),
        ("alpha", day(9), 5),
        ("alpha", day(10), 1),
        ("alpha", day(19), 1),
        ("alpha", day(20), 4),
        ("alpha", day(31), 4),
        ("beta", day(14), None),
        ("beta", day(15), 3),
        ("gamma", day(31), None),
    ],
)
def test_the_latest_start_that_has_come_counts(
    provider: str, at: datetime, version_id: int | None
) -> None:
    """A table counts from its first instant; of two that start together, the last published."""
    found = BOOK.in_force(provider, at)
    assert (found and found.version_id) == version_id


@pytest.mark.parametrize(
    ("model", "at", "providers"),
    [
        ("small", day(12), ["alpha"]),
        ("small", day(15), ["alpha", "beta"]),
        ("small", day(20), ["beta"]),
        ("small", day(4), []),
        ("large", day(20), ["alpha"]),
        ("tiny", day(12), []),
        ("unknown", day(12), []),
    ],
)
def test_a_provider_lists_what_its_table_in_force_lists(
    model: str, at: datetime, providers: list[str]
) -> None:
    """A model that the newer table dropped is not listed, even if an older one has it."""
    assert BOOK.providers_listing(model, at) == providers


def test_an_alias_is_listed_while_the_table_in_force_has_it() -> None:
    """Beside another provider's model of that name there are two; a pattern lists nothing."""
    book = RateBook(
        [
            published(1, "alpha", 10, "small", aliases=("mini", "tiny")),
            published(2, "beta", 10, "tiny"),
            published(3, "alpha", 20, "small", aliases=("mini",)),
        ]
    )
    assert book.providers_listing("mini", day(10)) == ["alpha"]
    assert book.providers_listing("tiny", day(10)) == ["alpha", "beta"]
    assert book.providers_listing("tiny", day(20)) == ["beta"]
    assert book.providers_listing("mini", day(9)) == []
    assert book.providers_listing("any-model", day(20)) == []


def test_versions_stand_in_the_order_of_publication() -> None:
    """The order of publication is that of the ids, whatever the tables are about."""
    assert [each.version_id for each in BOOK.versions()] == [1, 2, 3, 4, 5]


def test_a_table_is_found_by_its_number() -> None:
    """And no other is given in its place."""
    assert BOOK.published(3).table.provider == "beta"
    with pytest.raises(KeyError):
        BOOK.published(6)


def test_an_instant_without_an_offset_is_refused() -> None:
    """A naive time cannot choose a price."""
    with pytest.raises(TypeError):
        BOOK.in_force("alpha", datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test
