"""The decisions in force, as the writer looks them up."""

import pytest

from ledger.core.configuration import Configuration, PublishedMeter
from pricing import RateBook, percentage_meter

STANDARD = PublishedMeter(1, percentage_meter("standard", 1, "10"))
SPECIAL = PublishedMeter(2, percentage_meter("special", 1, "5"))
CONFIGURATION = Configuration(
    epoch=1,
    book=RateBook([]),
    meters={1: STANDARD, 2: SPECIAL},
    meter_slugs={1: "standard"},
    limits={},
)


@pytest.mark.parametrize(
    ("customer", "stated", "meter"),
    [(1, None, STANDARD), (1, "special", SPECIAL), (2, None, None), (2, "special", SPECIAL)],
)
def test_the_stated_meter_goes_before_the_customer_s(
    customer: int, stated: str | None, meter: PublishedMeter | None
) -> None:
    """Without either there is none."""
    assert CONFIGURATION.meter_for(customer, stated) == meter


def test_a_stated_meter_must_exist() -> None:
    """A fee is never left out because of a misspelt name."""
    with pytest.raises(KeyError):
        CONFIGURATION.meter_for(1, "standart")
