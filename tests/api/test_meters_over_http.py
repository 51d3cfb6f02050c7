"""Meters over HTTP: in our words and in Lava's, and everything that is refused, each by its name."""

from typing import Any

import httpx
import pytest

MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
TIERS = [{"start": 0, "rate": "5.00"}, {"start": 1_000_000, "rate": "3.00"}]
PRO = {"meter_slug": "pro", "kind": "graduated", "unit": "tokens_1m", "tiers": TIERS}
LAVA = {
    "meter_slug": "lava",
    "rate_type": "fixed",
    "tier_type": "tokens_1m",
    "tiers": [
        {"start": "0", "rate": "5.00"},
        {"start": "1000000", "rate": "3.00"},
        {"start": "10000000", "rate": "1.00"},
    ],
}


async def posted(api: httpx.AsyncClient, form: Any, status: int = 200) -> dict[str, Any]:
    answer = await api.post("/v1/meters", json=form)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"percentage": "12.5"}, {"kind": "percentage", "percentage": "12.5"}),
        ({}, {"kind": "none", "percentage": None}),
        (
            {"kind": "fixed", "unit": "requests", "rate": "0.01"},
            {"kind": "fixed", "percentage": None, "unit": "requests", "rate": "0.01"},
        ),
        (
            {"kind": "volume", "unit": "minutes", "tiers": TIERS, "period": "lifetime"},
            {"kind": "volume", "percentage": None, "unit": "minutes", "tiers": TIERS, "period": "lifetime"},
        ),
        (
            {
                "kind": "package", "unit": "requests", "package_size": "10",
                "tiers": [{"start": "0", "rate": "1"}],
            },
            {
                "kind": "package", "percentage": None, "unit": "requests", "package_size": 10,
                "tiers": [{"start": 0, "rate": "1"}], "period": "month",
            },
        ),
    ],
)  # fmt: skip
async def test_a_meter_of_each_kind(
    api: httpx.AsyncClient, form: dict[str, Any], shown: dict[str, Any]
) -> None:
    """It is shown as it is kept, with its version; the same again is the same version, another the next."""
    first = await posted(api, {"meter_slug": "m", **form})
    assert first == {"meter_slug": "m", "version": 1, **shown}
    assert await posted(api, {"meter_slug": "m", **form}) == first
    assert (await posted(api, {"meter_slug": "m", "percentage": "99"}))["version"] == 2
    assert (await api.get("/v1/meters")).json() == {
        "data": [{"meter_slug": "m", "version": 2, "kind": "percentage", "percentage": "99"}]
    }


async def test_lavas_meter_charges_what_lava_says(api: httpx.AsyncClient) -> None:
    """5M tokens are 17, by tiers that never begin anew, as Lava's do not."""
    shown = await posted(api, LAVA)
    assert (shown["kind"], shown["period"], shown["tiers"][2]["start"]) == (
        "graduated", "lifetime", 10_000_000,
    )  # fmt: skip
    for month in ("10", "11"):
        record = {
            "request_id": f"lava-{month}", "customer_id": "acme", "model": MODEL, "meter_slug": "lava",
            "input_tokens": 5_000_000, "timestamp": f"2026-{month}-10T00:00:00Z",
        }  # fmt: skip
        answer = await api.post("/v1/requests", json=record)
        assert answer.status_code == 201
        assert answer.json()["fee"] == "0.000000000000"  # it is the month's
    query = {"from": "2026-10-01", "to": "2026-12-01", "group_by": "month"}
    rows = (await api.get("/v1/spend", params=query)).json()["rows"]
    assert [(row["month"], row.get("meter"), row["requests"], row["fee"]) for row in rows] == [
        ("2026-10", None, 1, "0.000000000000"),
        ("2026-10", "lava", 0, "17.000000000000"),
        ("2026-11", None, 1, "0.000000000000"),
        ("2026-11", "lava", 0, "15.000000000000"),
    ]


@pytest.mark.parametrize(
    ("words", "kind", "terms"),
    [
        ({"rate_type": "percentage", "tiers": [{"start": "0", "rate": "10"}]}, "percentage", "10"),
        (
            {
                "rate_type": "fixed",
                "tier_type": "requests",
                "tiers": [{"start": "0", "rate": "0.01"}],
            },
            "fixed",
            "0.01",
        ),
    ],
)
async def test_a_single_tier_of_lavas_is_a_flat_rate(
    api: httpx.AsyncClient, words: dict[str, Any], kind: str, terms: str
) -> None:
    """A share of the cost, or a price of each."""
    shown = await posted(api, {"meter_slug": "flat", **words})
    assert (shown["kind"], shown["percentage"] or shown["rate"]) == (kind, terms)


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in PRO.items() if name != key}


def with_tiers(*tiers: Any, **others: Any) -> dict[str, Any]:
    return {**PRO, "tiers": list(tiers), **others}


FIRST = {"start": 0, "rate": "5.00"}


@pytest.mark.parametrize(
    ("form", "field", "code"),
    [
        ({**PRO, "meter_slug": ""}, "meter_slug", "invalid_slug"),
        ({**PRO, "meter_slug": "a b"}, "meter_slug", "invalid_slug"),
        ({**PRO, "meter_slug": "x" * 101}, "meter_slug", "invalid_slug"),
        ({**PRO, "kind": "block"}, "kind", "unknown_value"),
        ({**PRO, "percentage": "5"}, "percentage", "unknown_field"),
        ({**PRO, "unit": "tokens"}, "unit", "unknown_value"),
        ({**PRO, "period": "year"}, "period", "unknown_value"),
        ({**PRO, "package_size": 5}, "package_size", "unknown_field"),
        (without("unit"), "unit", "missing"),
        (without("tiers"), "tiers", "missing"),
        (with_tiers(), "tiers", "invalid_tiers"),
        (with_tiers({"start": 1, "rate": "5"}), "tiers[0].start", "invalid_start"),
        (with_tiers({"start": 0}), "tiers[0].rate", "missing"),
        (with_tiers({"rate": "5"}), "tiers[0].start", "missing"),
        (with_tiers({"start": 0, "rate": 5}), "tiers[0].rate", "invalid_rate"),
        (with_tiers({"start": 0, "rate": "-5"}), "tiers[0].rate", "invalid_rate"),
        (with_tiers({"start": 0, "rate": "1e3"}), "tiers[0].rate", "invalid_rate"),
        (with_tiers({"start": 0, "rate": "0.0000000000001"}), "tiers[0].rate", "invalid_rate"),
        (with_tiers({"start": True, "rate": "5"}), "tiers[0].start", "invalid_start"),
        (with_tiers({"start": 0.0, "rate": "5"}), "tiers[0].start", "invalid_start"),
        (with_tiers({"start": -1, "rate": "5"}), "tiers[0].start", "invalid_start"),
        (with_tiers(FIRST, {"start": 10**30, "rate": "5"}), "tiers[1].start", "invalid_start"),
        (with_tiers(FIRST, {"start": 0, "rate": "5"}), "tiers[1].start", "invalid_start"),
        (with_tiers({**FIRST, "end": 7}), "tiers[0].end", "invalid_end"),
        (with_tiers({**FIRST, "name": "a"}), "tiers[0].name", "unknown_field"),
        (with_tiers(*[{"start": n, "rate": "1"} for n in range(101)]), "tiers", "invalid_tiers"),
        (with_tiers(FIRST, kind="package"), "package_size", "missing"),
        (with_tiers(FIRST, kind="package", package_size=0), "package_size", "invalid_package_size"),
        (
            with_tiers(FIRST, {"start": 7, "rate": "1"}, kind="package", package_size=5),
            "tiers[1].start",
            "invalid_start",
        ),
        ({"meter_slug": "m", "percentage": "1001"}, "percentage", "invalid_percentage"),
        ({"meter_slug": "m", "percentage": "NaN"}, "percentage", "invalid_percentage"),
        ({"meter_slug": "m", "kind": "percentage"}, "percentage", "missing"),
        ({"meter_slug": "m", "kind": "fixed", "unit": "requests"}, "rate", "missing"),
        ({"meter_slug": "m", "kind": "none", "rate": "1"}, "rate", "unknown_field"),
        ({**LAVA, "tier_type": "words"}, "tier_type", "unknown_value"),
        ({**LAVA, "rate_type": "percentage"}, "tiers", "unknown_field"),
        (
            {
                "meter_slug": "m",
                "rate_type": "percentage",
                "tiers": [{"start": "0", "rate": "ten"}],
            },
            "tiers[0].rate",
            "invalid_percentage",
        ),
        ({**LAVA, "rate_type": "other"}, "rate_type", "unknown_value"),
        ({"meter_slug": "m", "tiers": "none"}, "tiers", None),
        ({"meter_slug": "m", "tiers": [5]}, "tiers", None),
        ({"meter_slug": "m", "percentage": 5}, "percentage", None),
        ({"meter_slug": "m", "colour": "red"}, "colour", None),
        ({"kind": "none"}, "meter_slug", None),
        ({**PRO, "reason": ""}, "reason", "wrong_length"),
        ([], None, None),
    ],
)
async def test_what_is_no_meter_is_refused(
    api: httpx.AsyncClient, form: Any, field: str | None, code: str | None
) -> None:
    """The field that is wrong is named, and nothing is published."""
    answer = await api.post("/v1/meters", json=form)
    assert answer.status_code == 400, answer.text
    errors = [(error["field"], error["code"]) for error in answer.json().get("errors", ())]
    if code is not None:
        assert (field, code) in errors
    elif field is not None:
        assert field in answer.text
    assert (await api.get("/v1/meters")).json() == {"data": []}
