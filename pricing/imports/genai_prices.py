"""genai-prices: the data of its Python package, or of its `data.json`.

Prices per million tokens as decimals, for the day that is asked for; rules by start date; request
variants that override single prices. Source of the shape and of what its parts mean: `types.py` and
`data_units.py` of genai-prices 0.2.3.
"""

from functools import partial

import msgspec

from pricing.imports.assembly import MODEL, CannotList, draft_model
from pricing.imports.drafts import (
    DraftModel,
    Imported,
    Report,
    SourceError,
    Wanted,
)
from pricing.imports.exact_json import read_json
from pricing.imports.gathering import Gathering, imported, require_providers
from pricing.imports.genai_ids import Ids, ids_of
from pricing.imports.genai_shape import Model, Provider
from pricing.imports.genai_statements import statements_of
from pricing.imports.provider_names import our_name
from pricing.imports.python_literals import read_assigned

_EXPECTED = "expected a list of providers with models, as genai_prices/data.py or data.json has it"
# Whisper at Groq bills ten seconds at least, which the package's code knows and its data does not.
_LEAST_CHARGE = frozenset({("groq", "whisper-large-v3"), ("groq", "whisper-large-v3-turbo")})


def import_genai_prices(text: str, wanted: Wanted) -> Imported:
    """Read the prices that count on a day.

    Raises:
        SourceError: The text is not of this shape, or lacks a provider that is wanted.
    """
    providers = _providers(text)
    require_providers(wanted, [(each.id, our_name(each.id)) for each in providers])
    gatherings: dict[str, Gathering] = {}
    for provider in providers:
        ours = our_name(provider.id)
        if wanted.takes(provider.id, ours):
            _take_provider(provider, wanted, gatherings.setdefault(ours, Gathering(ours)))
    return imported(gatherings)


def _providers(text: str) -> list[Provider]:
    data = read_json(text) if text.lstrip()[:1] in "[{" else read_assigned(text, "providers")
    try:
        providers = msgspec.convert(data, list[Provider])
    except msgspec.ValidationError as error:
        raise SourceError(f"{_EXPECTED}: {error}") from error
    if not providers:
        raise SourceError(_EXPECTED)
    return providers


def _take_provider(provider: Provider, wanted: Wanted, gathering: Gathering) -> None:
    """Draft every model; where several claim an id, it is the first one's, as in the source."""
    before: list[Ids] = []
    for entry in provider.models:
        try:
            model = msgspec.convert(entry, Model)
        except msgspec.ValidationError as error:
            gathering.leave_out(str(entry.get("id", "")), MODEL, f"is of an unknown shape: {error}")
            continue
        ids = ids_of(model.id, model.match)
        names = [name for name in ids.exact if not any(each.claims_name(name) for each in before)]
        before.append(ids)
        _take_model(provider, model, names, ids, wanted, gathering)


def _take_model(
    provider: Provider,
    model: Model,
    names: list[str],
    ids: Ids,
    wanted: Wanted,
    gathering: Gathering,
) -> None:
    """List a model under the first of its names, and let its other ids bill as it."""
    report = partial(gathering.leave_out, names[0] if names else model.id)
    for rule in ids.unread:
        report("match", f"ids by the rule {rule[:80]} are not listed")
    if not names:
        report("match", "its ids are those of a model before it")
        return
    draft = _draft(provider, model, wanted, report)
    if draft is not None and gathering.add(names[0], draft):
        for alias in names[1:]:
            gathering.add_alias(alias, names[0])
        for pattern in ids.patterns:
            gathering.add_pattern(pattern, names[0])


def _draft(provider: Provider, model: Model, wanted: Wanted, report: Report) -> DraftModel | None:
    if (provider.id, model.id) in _LEAST_CHARGE:
        report(MODEL, "bills ten seconds at least, which a table cannot say")
        return None
    try:
        statements = statements_of(provider.id, model, wanted.effective_on, report)
    except CannotList as reason:
        report(reason.field, reason.reason)
        return None
    return draft_model(statements, report)
