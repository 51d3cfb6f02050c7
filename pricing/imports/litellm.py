"""LiteLLM: `model_prices_and_context_window.json`, the copy in its package included.

One mapping of models. Prices are JSON floats per single token, whose shortest decimal form is the
price: 1.5e-07 is 0.15 per 1M exactly. There are no dates. Some rows are 0 where nothing is known.
Source of the shape: LiteLLM 1.109.1, its `sample_spec` and rows.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pricing.imports.assembly import CannotList, Stated, draft_model
from pricing.imports.drafts import DraftModel, Imported, Report, SourceError, Wanted
from pricing.imports.exact_json import read_json
from pricing.imports.gathering import Gathering, imported, require_providers
from pricing.imports.litellm_fields import (
    BESIDE,
    IGNORED,
    PART_OF,
    Field,
    field_of,
    is_price,
)
from pricing.imports.provider_names import our_name

_PROVIDER = "litellm_provider"
_EXPECTED = f"expected an object of models, each with its {_PROVIDER}"
_SAMPLE = "sample_spec"
_SEARCH = "search_context_cost_per_query"
# Nothing comes out of these but vectors, scores and verdicts; 0 for output is no price there.
_WITHOUT_OUTPUT = frozenset({"embedding", "evaluation", "moderation", "rerank", "decisions"})
_IMAGE_MODES = frozenset({"image_edit", "image_generation"})
# A second or an image beside what tokens of the same cost: one of the two is charged, not both.
_OTHER_WAYS_TO_PAY = {
    "input_cost_per_second": ("input_cost_per_token", "input_cost_per_audio_token"),
    "output_cost_per_second": ("output_cost_per_token", "output_cost_per_audio_token"),
    "output_cost_per_image": ("output_cost_per_token", "output_cost_per_image_token"),
}

Row = Mapping[str, Any]


def import_litellm(text: str, wanted: Wanted) -> Imported:
    """Read the prices of the providers that are wanted.

    Raises:
        SourceError: The text is not of this shape, or lacks a provider that is wanted.
    """
    rows = _rows(text)
    providers = {str(row[_PROVIDER]) for _, row in rows}
    require_providers(wanted, [(name, our_name(name)) for name in sorted(providers)])
    gatherings: dict[str, Gathering] = {}
    for key, row in rows:
        ours = our_name(row[_PROVIDER])
        if wanted.takes(row[_PROVIDER], ours):
            gathering = gatherings.setdefault(ours, Gathering(ours))
            model = _id_of(key, row[_PROVIDER])
            draft = _draft(row, partial(gathering.leave_out, model))
            if draft is not None:
                gathering.add(model, draft)
    return imported(gatherings)


def _rows(text: str) -> list[tuple[str, Row]]:
    data = read_json(text)
    if not isinstance(data, dict):
        raise SourceError(_EXPECTED)
    rows: list[tuple[str, Row]] = [
        (key, row)
        for key, row in data.items()
        if key != _SAMPLE and isinstance(row, dict) and isinstance(row.get(_PROVIDER), str)
    ]
    if not rows:
        raise SourceError(_EXPECTED)
    return rows


def _id_of(key: str, provider: str) -> str:
    """Give the id that a key is for: what follows its route, which is the provider or begins its name."""
    route, slash, model = key.partition("/")
    return model if slash and f"{provider}-".startswith(f"{route}-") else key


def _draft(row: Row, report: Report) -> DraftModel | None:
    """Draft one row."""
    try:
        return draft_model(list(_statements(row, report)), report)
    except CannotList as reason:
        report(reason.field, reason.reason)
        return None


def _statements(row: Row, report: Report) -> Iterator[Stated]:
    mode = str(row.get("mode"))
    prices = {name: value for name, value in row.items() if is_price(name, value)}
    _check_image_prices(prices, mode)
    for name, value in prices.items():
        field = field_of(name, mode)
        is_free_output = (
            field.base == "output_cost_per_token" and mode in _WITHOUT_OUTPUT and not value
        )
        if name == _SEARCH:
            yield from _search_price(value, report)
        elif field.rate is not None and not is_free_output:
            key, places, per = field.rate
            if not _is_other_way_to_pay(field, prices, report):
                yield Stated(name, key, value, places, per, field.start, field.when)
        elif not is_free_output:
            _check_absence(name, field, prices, report)


def _check_image_prices(prices: Row, mode: str) -> None:
    """Refuse prices per token of models that make images and are not said to count image tokens.

    Such rows hold the price of a step or of an image, divided by a million as if it were one of tokens.
    """
    if mode in _IMAGE_MODES and prices and all(name.endswith("_per_token") for name in prices):
        raise CannotList(
            "input_cost_per_token", "is a price per token of a model that makes images"
        )


def _is_other_way_to_pay(field: Field, prices: Row, report: Report) -> bool:
    """Leave out the price of a second or an image where its tokens have one."""
    beside = [name for name in _OTHER_WAYS_TO_PAY.get(field.base, ()) if prices.get(name)]
    if beside:
        report(field.base, f"stands beside {beside[0]}, and only one of them is charged")
    return bool(beside)


def _search_price(value: Any, report: Report) -> Iterator[Stated]:
    """The price of a web search, when it is the same whatever the size of its context."""
    sizes = list(value.values()) if isinstance(value, dict) else [value]
    if sizes and all(size == sizes[0] for size in sizes):
        yield Stated(_SEARCH, "web_search", sizes[0], places=3, per="1K")
    else:
        report(_SEARCH, "depends on the size of the context; such usage is unrated")


def _check_absence(name: str, field: Field, prices: Row, report: Report) -> None:
    """Decide what it means that a price finds no place."""
    if field.base in IGNORED:
        return
    whole = PART_OF.get(field.base)
    if whole is not None:
        # The same name, for the same tier and the same calls.
        if prices[name] and prices[name] != prices.get(name.replace(field.base, whole)):
            raise CannotList(name, f"is not {whole}, and usage does not tell them apart")
    elif field.base in BESIDE:
        report(name, "is charged beside tokens or instead of them, and is not counted")
    else:
        raise CannotList(name, "is a price that a table cannot hold")
