"""One version of a provider's price list, as a value."""

from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from pricing.model_rates import ModelRates


def fits(pattern: str, model: str) -> bool:
    """Whether a pattern, in which `*` stands for any text, fits the whole id of a model.

    No regular expression: those go back and forth without bound where stars are many.
    """
    first, *others = pattern.split("*")
    if not others:
        return first == model
    *between, last = others
    end = len(model) - len(last)
    if not model.startswith(first) or not model.endswith(last):
        return False
    at = len(first)
    for part in between:
        found = model.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end


class Listing(NamedTuple):
    """Where a table lists a model: under which id it bills, and its prices."""

    model: str
    rates: ModelRates


class RateTable(Struct, frozen=True, dict=True):
    """One whole version of one provider's prices.

    Attributes:
        provider: Who charges these prices.
        version: The name of this version, unique for the provider.
        effective_from: The instant in UTC from which the prices count.
        currency: ISO 4217 code of every price.
        source: Where the prices come from and what is assumed, in words; may be empty.
        models: The rates of each model, by its exact id.
        aliases: Other ids, each with the model of the table that it bills as.
        fallback: Patterns for ids that are not listed, in the order in which they are tried, each
            with the model of the table whose prices then count. `*` stands for any text.
    """

    provider: str
    version: str
    effective_from: datetime
    currency: str
    source: str
    models: dict[str, ModelRates]
    aliases: dict[str, str] = {}
    fallback: dict[str, str] = {}

    def lists(self, model: str) -> bool:
        """Whether the table names the model, as its own or as another word for one."""
        return model in self.models or model in self.aliases

    def find(self, model: str) -> Listing | None:
        """Give the listing that prices a model, or None.

        An id of its own comes first, then an alias, then the first pattern that fits.
        """
        listing = self._listings.get(model)
        if listing is None and self.fallback:
            fitting = (to for pattern, to in self.fallback.items() if fits(pattern, model))
            listing = self._listings.get(next(fitting, ""))
        return listing

    @cached_property
    def _listings(self) -> dict[str, Listing]:
        """What every id that the table names leads to."""
        listed = {model: Listing(model, rates) for model, rates in self.models.items()}
        return listed | {alias: listed[target] for alias, target in self.aliases.items()}

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 over what the table means.

        Tables with equal fingerprints price everything alike and say the same about themselves,
        however their files are written: `"0.90"` is `"0.9"`, and `per: 1M` can be `per: 1K`.
        """
        meaning: dict[str, Any] = {
            "provider": self.provider,
            "version": self.version,
            "effective_from": self.effective_from.isoformat(),
            "currency": self.currency,
            "source": self.source,
            "models": {model: rates.meaning for model, rates in self.models.items()},
        }
        if self.aliases:
            meaning["aliases"] = self.aliases
        if self.fallback:
            meaning["fallback"] = list(self.fallback.items())
        return sha256(msgspec.json.encode(meaning, order="deterministic")).hexdigest()
