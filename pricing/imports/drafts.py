"""What an importer makes of somebody else's price list: draft tables, and what found no place in them."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from msgspec import Struct

from pricing.files.stated_model import WORD_LENGTH_MAX
from pricing.model_rates import BATCH_TIER, STANDARD_TIERS


class SourceError(ValueError):
    """The input is not a price list of the source that it was said to be."""


class LeftOut(Struct, frozen=True):
    """One thing of a source that stands in no draft.

    Attributes:
        provider: Whose price it is, by our name.
        model: The id in the draft, or as the source has it.
        field: The source's name of what was left out; `model` when all of the model was.
        reason: Why, and what follows from it where that is not plain.
    """

    provider: str
    model: str
    field: str
    reason: str


Report = Callable[[str, str], None]  # field, reason


class Price(Struct, frozen=True):
    """A price in USD, for the word that `per` of a rate table allows; empty is the unit's default."""

    amount: Decimal
    per: str = ""


Prices = dict[str, Price]  # by rate key


class DraftTier(Struct, frozen=True):
    """Prices of requests from `start` input tokens on."""

    start: int
    prices: Prices


Tiers = tuple[DraftTier, ...]
When = tuple[
    tuple[str, str], ...
]  # sorted pairs, such as (("batch", "true"),); empty is a plain call
PLAIN: When = ()
BATCH: When = (("batch", "true"),)
NO_TIER = "is for a service tier that a table cannot name"


class DraftModel(Struct, frozen=True):
    """The prices of one model, tiers by how it is called."""

    combinations: dict[When, Tiers]


class DraftTable(Struct, frozen=True):
    """The prices of one provider, as they will stand in a rate table."""

    models: dict[str, DraftModel]
    aliases: dict[str, str] = {}
    fallback: dict[str, str] = {}


class DraftHead(Struct, frozen=True):
    """What a rate table says before its models; `comments` stand above it, a line each."""

    version: str
    effective_from: datetime
    source: str
    currency: str = "USD"
    comments: tuple[str, ...] = ()


class Wanted(Struct, frozen=True):
    """What to take from a source.

    Attributes:
        providers: By our name or the source's; None is all.
        effective_on: The day whose prices are wanted, of sources that know more than one.
    """

    providers: frozenset[str] | None
    effective_on: date

    def takes(self, *names: str) -> bool:
        """Whether a provider is wanted that goes by any of these names."""
        return self.providers is None or not self.providers.isdisjoint(names)


class Imported(Struct, frozen=True):
    """Drafts by provider, and all that was left out of them."""

    tables: Mapping[str, DraftTable]
    left_out: tuple[LeftOut, ...]


def called_in_tier(tier: str) -> When | None:
    """The combination of calls in a service tier; None for a word that a table has no variant for.

    Standard calls and batches have words of their own in a table.
    """
    is_word = 1 <= len(tier) <= WORD_LENGTH_MAX and tier.isprintable() and tier == tier.strip()
    if not is_word or tier in (*STANDARD_TIERS, BATCH_TIER):
        return None
    return (("service_tier", tier),)


def tier_after(tokens: int) -> int:
    """The first number of input tokens that is more than a bound which sources call "above"."""
    return tokens + 1
