"""Which invoice settled a row of the log, and how an invoice shared its total among its lines.

Nothing is marked as billed. A row belongs to the first invoice, in the order of issue, that looked at its
month and whose cut has its batch.
"""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import takewhile

import msgspec

from ledger.core.cuts import Cut
from pricing import minor_to_pico, round_to_minor_half_up, share_by_largest_remainder


class IssuedInvoice(msgspec.Struct, frozen=True):
    """What decides which usage an invoice settled; `cut` is None in those from before cuts were kept."""

    number: str
    period_start: date
    cut: Cut | None
    issued_at: datetime


class Share(msgspec.Struct, frozen=True):
    """A line's part of a total in minor units: its exact value rounded down, and what it got on top."""

    floor_minor: int
    remainder_pico: int
    extra_minor: int

    @property
    def amount_minor(self) -> int:
        """What the line comes to."""
        return self.floor_minor + self.extra_minor


class Sharing(msgspec.Struct, frozen=True):
    """How the total of an invoice was rounded, and shared among its lines."""

    exact_pico: int
    total_minor: int
    rounding_pico: int
    shares: tuple[Share, ...]

    @property
    def lacking_minor(self) -> int:
        """What the lines rounded down come short of the total."""
        return sum(share.extra_minor for share in self.shares)


def settled_by(
    invoices: Sequence[IssuedInvoice], month: date, place: tuple[int, int], recorded_at: datetime
) -> tuple[IssuedInvoice | None, bool]:
    """The invoice of a customer that settled a row of the log, and whether that is certain.

    `invoices` stand in the order of issue, `month` is the row's service month, `place` its lane and batch.
    An invoice without a cut is told by the clock alone, so a row near its time may belong to the next.
    """
    lane, batch = place
    for invoice in invoices:
        if invoice.period_start < month:
            continue
        if invoice.cut is None:
            if recorded_at <= invoice.issued_at:
                return invoice, False
        elif batch <= invoice.cut.get(lane, 0):
            return invoice, True
    return None, True


def issued_before(
    invoices: Sequence[IssuedInvoice], number: str, month: date
) -> IssuedInvoice | None:
    """The last invoice before one, in the order of issue, that settled usage of a month too."""
    earlier = takewhile(lambda invoice: invoice.number != number, invoices)
    settling = [invoice for invoice in earlier if invoice.period_start >= month]
    return settling[-1] if settling else None


def share_out(exact_pico: Sequence[int], places: int) -> Sharing:
    """Round the sum of some lines to a currency's decimals and share it among them, anew."""
    total_exact_pico = sum(exact_pico)
    total_minor = round_to_minor_half_up(total_exact_pico, places)
    amounts = share_by_largest_remainder(exact_pico, total_minor, places)
    minor_pico = minor_to_pico(1, places)
    shares = []
    for exact, amount in zip(exact_pico, amounts, strict=True):
        floor, remainder = divmod(exact, minor_pico)
        shares.append(Share(floor, remainder, amount - floor))
    rounding_pico = minor_to_pico(total_minor, places) - total_exact_pico
    return Sharing(total_exact_pico, total_minor, rounding_pico, tuple(shares))
