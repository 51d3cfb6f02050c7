"""Differences as the interface shows them."""

from collections.abc import Mapping
from typing import Any

from ledger.core.rerating import Difference, Differences, Figures
from pricing import format_amount


def differences_body(differences: Differences, customer_ids: Mapping[int, str]) -> dict[str, Any]:
    """What re-rating changes, by customer and model, and in all.

    A group in which nothing changes, and nothing should, has no row; `totals` include it.
    """
    rows = [
        {"customer_id": customer_ids[customer], "model": model, **_body(difference)}
        for (customer, model), difference in differences.groups.items()
        if difference.is_notable
    ]
    rows.sort(key=_bytewise)
    return {"rows": rows, "totals": _body(differences.total())}


def _body(difference: Difference) -> dict[str, Any]:
    before, after = difference.before, difference.after
    less = Figures(
        after.cost_pico - before.cost_pico,
        after.fee_pico - before.fee_pico,
        after.spend_pico - before.spend_pico,
        after.unrated - before.unrated,
    )
    return {
        "requests": difference.requests,
        "changed": difference.changed,
        "losing": difference.losing,
        "does_not_fit": difference.does_not_fit,
        "before": _figures(before),
        "after": _figures(after),
        "difference": _figures(less),
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "cost": format_amount(figures.cost_pico),
        "fee": format_amount(figures.fee_pico),
        "spend": format_amount(figures.spend_pico),
        "unrated_requests": figures.unrated,
    }


def _bytewise(row: Mapping[str, Any]) -> tuple[bytes, bool, bytes]:
    """Sort as bytes, with an unknown model last."""
    return row["customer_id"].encode(), row["model"] is None, (row["model"] or "").encode()
