"""Prices, usage and exact money: everything needed to say what one event costs.

A provider's prices are a `RateTable`, read from YAML by `load_rate_table`; a `RateBook` says which
published table counts at an instant. `rate` prices the `Quantities` of one event with a model's
rates, and `fee_pico` adds what a `Meter` charges on top. Amounts are integers of 1e-12 currency
units and every rounding stands in `pricing.money`. The package only computes: no clock, no
randomness, no float, and no input besides its arguments and its own packaged rate files.
"""

from pricing.book import PublishedTable, RateBook
from pricing.loading import RateFileError, RateFileProblem, load_rate_table
from pricing.meters import Meter, fee_pico, percentage_meter
from pricing.money import (
    AMOUNT_PICO_MAX,
    PICO_PER_UNIT,
    AmountOutOfRange,
    check_amount,
    currency_places,
    divide_half_even,
    format_amount,
    format_minor,
    minor_to_pico,
    parse_amount,
    round_to_minor_half_up,
    share_by_largest_remainder,
)
from pricing.quantities import Costs, Quantities
from pricing.rate_table import ModelRates, Rate, RateTable
from pricing.rating import rate
from pricing.shipped import shipped_rate_files
from pricing.units import Unit

__all__ = [
    "AMOUNT_PICO_MAX",
    "PICO_PER_UNIT",
    "AmountOutOfRange",
    "Costs",
    "Meter",
    "ModelRates",
    "PublishedTable",
    "Quantities",
    "Rate",
    "RateBook",
    "RateFileError",
    "RateFileProblem",
    "RateTable",
    "Unit",
    "check_amount",
    "currency_places",
    "divide_half_even",
    "fee_pico",
    "format_amount",
    "format_minor",
    "load_rate_table",
    "minor_to_pico",
    "parse_amount",
    "percentage_meter",
    "rate",
    "round_to_minor_half_up",
    "share_by_largest_remainder",
    "shipped_rate_files",
]
