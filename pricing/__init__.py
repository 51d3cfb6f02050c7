"""Prices, usage and exact money: everything needed to say what one event costs.

A provider's prices are a `RateTable`, read from YAML by `load_rate_table`; a `RateBook` says which
published table counts at an instant. `rate` prices the `Quantities` of one event with the
`RateSet` that its model has for it, and `fee_pico` adds what a `Meter` charges on top. Amounts are
integers of 1e-12 currency units and every rounding stands in `pricing.money`. The package only
computes: no clock, no randomness, no float, and no input besides its arguments and its own packaged
rate files.
"""

from pricing.book import PublishedTable, RateBook
from pricing.files.rate_files import RateFileError, RateFileProblem, load_rate_table
from pricing.files.shipped import shipped_rate_files
from pricing.meters.counting import metered_quantity, metered_sum
from pricing.meters.fees import TierShare, period_fee_pico, tier_shares, tiered_fee_pico
from pricing.meters.files import load_meters as load_meter_file
from pricing.meters.forms import in_our_words as meter_in_our_words
from pricing.meters.forms import read_meter_form
from pricing.meters.meter import (
    LIFETIME,
    MONTH,
    PERIODS,
    TERMS_BY_KIND,
    Meter,
    fee_pico,
    percentage_meter,
    same_schedule,
)
from pricing.meters.tiers import MeterTier
from pricing.meters.units import MeterUnit
from pricing.model_rates import (
    BATCH_TIER,
    STANDARD,
    STANDARD_TIERS,
    Combination,
    ModelRates,
    RateTier,
    combination_of,
    flat_rates,
    input_tokens_of,
    output_tokens_of,
)
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
from pricing.prices import BILLABLE_REQUESTS, Rate, RateSet
from pricing.quantities import Costs, Quantities
from pricing.rate_table import Listing, RateTable
from pricing.rating import counted, rate
from pricing.units import INPUT_PARTS, OUTPUT_PARTS, Unit

__all__ = [
    "AMOUNT_PICO_MAX",
    "BATCH_TIER",
    "BILLABLE_REQUESTS",
    "INPUT_PARTS",
    "LIFETIME",
    "MONTH",
    "OUTPUT_PARTS",
    "PERIODS",
    "PICO_PER_UNIT",
    "STANDARD",
    "STANDARD_TIERS",
    "TERMS_BY_KIND",
    "AmountOutOfRange",
    "Combination",
    "Costs",
    "Listing",
    "Meter",
    "MeterTier",
    "MeterUnit",
    "ModelRates",
    "PublishedTable",
    "Quantities",
    "Rate",
    "RateBook",
    "RateFileError",
    "RateFileProblem",
    "RateSet",
    "RateTable",
    "RateTier",
    "TierShare",
    "Unit",
    "check_amount",
    "combination_of",
    "counted",
    "currency_places",
    "divide_half_even",
    "fee_pico",
    "flat_rates",
    "format_amount",
    "format_minor",
    "input_tokens_of",
    "load_meter_file",
    "load_rate_table",
    "meter_in_our_words",
    "metered_quantity",
    "metered_sum",
    "minor_to_pico",
    "output_tokens_of",
    "parse_amount",
    "percentage_meter",
    "period_fee_pico",
    "rate",
    "read_meter_form",
    "round_to_minor_half_up",
    "same_schedule",
    "share_by_largest_remainder",
    "shipped_rate_files",
    "tier_shares",
    "tiered_fee_pico",
]
