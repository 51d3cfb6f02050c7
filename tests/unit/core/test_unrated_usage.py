"""What an alert about usage without a price is about, and what it says."""

from datetime import date

from ledger.core.unrated import Called, UnratedUsage, called_as

PLAIN = Called("fireworks", "mystery", None, False, None, None)
OCTOBER = date(2026, 10, 1)


def test_an_alert_says_what_is_unrated() -> None:
    """Whose, of which month, and how the model was called."""
    usage = UnratedUsage(3, OCTOBER, PLAIN._replace(region="us", batch=True))

    body = usage.body("acme")

    assert body.pop("alert_id") == usage.alert_id
    assert body == {
        "customer_id": "acme",
        "month": "2026-10",
        "provider": "fireworks",
        "model": "mystery",
        "service_tier": None,
        "batch": True,
        "region": "us",
        "accelerator": None,
    }


def test_each_kind_of_usage_has_one_id() -> None:
    """The same for the same, another for anything else; null is no text."""
    usage = UnratedUsage(3, OCTOBER, PLAIN)
    others = [
        UnratedUsage(4, OCTOBER, PLAIN),
        UnratedUsage(3, date(2026, 11, 1), PLAIN),
        *(
            UnratedUsage(3, OCTOBER, PLAIN._replace(**change))
            for change in (
                {"provider": None},
                {"provider": "None"},
                {"model": "other"},
                {"service_tier": "priority"},
                {"batch": True},
                {"region": "us"},
                {"accelerator": "us"},
            )
        ),
    ]

    assert UnratedUsage(3, OCTOBER, PLAIN).alert_id == usage.alert_id
    assert len({each.alert_id for each in (usage, *others)}) == len(others) + 1
    assert usage.alert_id.startswith("unr_")
    assert len(usage.alert_id) == 36


def test_a_spelled_out_dimension_tells_how_a_model_was_called() -> None:
    """With the words that came later, or without any of them."""
    first = [
        "fireworks",
        "mystery",
        "managed",
        "flex",
        True,
        None,
        *[None] * 3,
        "tenth",
        1,
        "kind",
        "10",
    ]

    assert called_as(first) == Called("fireworks", "mystery", "flex", True, None, None)
    assert called_as([*first, "us", "h100", None, None]) == Called(
        "fireworks", "mystery", "flex", True, "us", "h100"
    )
