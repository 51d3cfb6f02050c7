"""Importers: other people's price lists as drafts of rate tables, for people to review.

`import_rates` reads the text of one source; `draft_text` writes a draft as a rate file. Nothing gets
into the book this way: a draft is reviewed, and published like any other file.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pricing.imports.drafting import draft_text
from pricing.imports.drafts import (
    DraftHead,
    DraftModel,
    DraftTable,
    DraftTier,
    Imported,
    LeftOut,
    Price,
    SourceError,
    Wanted,
)
from pricing.imports.genai_prices import import_genai_prices
from pricing.imports.lava_services import import_lava_services
from pricing.imports.litellm import import_litellm
from pricing.imports.models_dev import import_models_dev

__all__ = [
    "IMPORTERS",
    "DraftHead",
    "DraftModel",
    "DraftTable",
    "DraftTier",
    "Imported",
    "LeftOut",
    "Price",
    "SourceError",
    "Wanted",
    "draft_text",
    "import_rates",
]

IMPORTERS: Mapping[str, Callable[[str, Wanted], Imported]] = MappingProxyType(
    {
        "genai-prices": import_genai_prices,
        "litellm": import_litellm,
        "models.dev": import_models_dev,
        "lava-services": import_lava_services,
    }
)


def import_rates(source: str, text: str, wanted: Wanted) -> Imported:
    """Read the price list of a source, one of the names in `IMPORTERS`.

    Raises:
        SourceError: The text is not a price list of this source, or lacks a provider that is wanted.
    """
    return IMPORTERS[source](text, wanted)
