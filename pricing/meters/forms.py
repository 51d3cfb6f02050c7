"""A meter as somebody states it, in a JSON object or in a file: a `Meter`, or all that is wrong."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from pricing.files.problems import shown
from pricing.meters.faults import MeterFault, MeterFaults, present
from pricing.meters.form_tiers import read_count, read_quoted, read_rate_text, read_tiers
from pricing.meters.meter import (
    LIFETIME,
    MONTH,
    PERIODS,
    TERMS,
    TERMS_BY_KIND,
    Meter,
    check_word,
    parse_percentage_micro,
)
from pricing.meters.units import METER_UNITS

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read_meter_form(slug: str, form: Mapping[str, Any]) -> Meter | list[MeterFault]:
    """Read a stated meter.

    Amounts are text. Tier starts and ends and the package size are whole numbers, or text of
    digits as Lava sends them; an end only repeats where the next tier starts. A key with None
    counts as not stated. Without a period the tiers begin anew each month.

    Args:
        slug: The name of the meter.
        form: `kind` and what the kind asks for, by `TERMS_BY_KIND`.

    Returns:
        Version 1 of the meter, or every fault; that of the name has the path `slug`.
    """
    faults = MeterFaults()
    if SLUG.fullmatch(slug) is None:
        rule = "1 to 100 letters, digits, dots, dashes or underscores, a letter or digit first"
        faults.add(("slug",), "invalid_slug", f"{shown(slug)} is not {rule}")
    stated = present(form)
    kind = _read_kind(stated, faults)
    terms = {} if kind is None else _read_terms(kind, stated, faults)
    return faults.found or Meter(slug, 1, str(kind), **terms)


def in_our_words(form: Mapping[str, Any]) -> dict[str, Any]:
    """Translate Lava's `rate_type` and `tier_type` into a form that `read_meter_form` takes.

    `fixed` with one tier is a fixed rate; with more it is graduated over the lifetime, since tiers
    of Lava never begin anew. `percentage` with one tier is that share of the cost. Percentages by
    tiers have no counterpart: they are left as they are, to be refused. So is a form that states the
    same in both ways, differently.
    """
    if form.get("kind") is not None:
        return dict(form)
    others = {key: form[key] for key in form if key not in {"rate_type", "tier_type", "tiers"}}
    kind, unit, tiers = form.get("rate_type"), form.get("tier_type"), form.get("tiers")
    rate = _flat_rate(tiers)
    if kind == "percentage" and rate is not None:
        return _joined(others, {"kind": kind, "percentage": rate})
    if kind == "fixed" and rate is not None:
        return _joined(others, {"kind": kind, "unit": unit, "rate": rate})
    if kind == "fixed":
        ours = {"kind": "graduated", "unit": unit, "period": LIFETIME, "tiers": tiers}
        return _joined(others, ours)
    return _joined(others, {"kind": kind, "unit": unit, "tiers": tiers})


def _joined(others: Mapping[str, Any], translated: dict[str, Any]) -> dict[str, Any]:
    """What is stated in our words and what was translated; a contradiction keeps a key that no kind has."""
    is_clear = all(others.get(key) in (None, value) for key, value in translated.items())
    return {**others, **translated} if is_clear else {**others, **translated, "rate_type": "stated"}


def _flat_rate(tiers: object) -> Any:
    """The rate of what Lava states as a single tier from 0 on; None for anything else."""
    match tiers:
        case [{"start": 0 | "0" as start, "rate": rate, **others}] if not others:
            return rate if start is not False else None
        case _:
            return None


def _read_kind(stated: Mapping[str, Any], faults: MeterFaults) -> str | None:
    """Read the kind; without one, only keys that no kind has can be told to be wrong."""
    kind = None
    if "kind" in stated:
        parse = partial(check_word, "kind of meter", words=TERMS_BY_KIND)
        kind = faults.attempt(("kind",), "unknown_value", parse, stated["kind"])
    else:
        faults.add(("kind",), "missing", f"the kind is missing: use {', '.join(TERMS_BY_KIND)}")
    if kind is None:
        faults.refuse_others((), "a meter", stated, ("kind", *TERMS))
    return kind


def _read_terms(kind: str, stated: Mapping[str, Any], faults: MeterFaults) -> dict[str, Any]:
    """Read what a kind asks for; a term that could not be read is None."""
    known = TERMS_BY_KIND[kind]
    faults.refuse_others((), f"a meter of kind {kind}", stated, ("kind", *known))
    if "period" in known:
        stated = {"period": MONTH, **stated}
    terms: dict[str, Any] = {}
    for term in known:
        if term not in stated:
            faults.add((term,), "missing", f"a meter of kind {kind} must state its {term}")
        elif term == "tiers":
            # A size of packages that could not be read is a fault of its own.
            terms[term] = read_tiers(stated[term], terms.get("package_size"), faults)
        else:
            code, parse = _PARSERS[term]
            terms[term] = faults.attempt((term,), code, parse, stated[term])
    return terms


def _percentage(stated: object) -> str:
    """Read a percentage as the text that it is."""
    percentage = read_quoted("percentage", "12.5", stated)
    parse_percentage_micro(percentage)
    return percentage


_PARSERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "percentage": ("invalid_percentage", _percentage),
        "unit": ("unknown_value", partial(check_word, "unit", words=METER_UNITS)),
        "rate": ("invalid_rate", read_rate_text),
        "package_size": ("invalid_package_size", partial(read_count, "package size", least=1)),
        "period": ("unknown_value", partial(check_word, "period", words=PERIODS)),
    }
)
