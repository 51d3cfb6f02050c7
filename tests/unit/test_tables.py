"""Tables as values: what fits, what folds, what is left out and what is stacked."""

import string
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from ledger.cli.tables import LEAST_COLUMNS, Layout, cut, laid_out

COLUMNS = {"customer": "customer", "model": "model", "requests": "requests", "spend": "spend"}
ROWS: list[dict[str, Any]] = [
    {"customer": "acme", "model": "deepseek-v4-pro", "requests": 12, "spend": "1234567.8901"},
    {"customer": "initech", "model": None, "requests": 7, "spend": "-0.5000"},
]
SIDE_BY_SIDE = """\
customer  model            requests         spend
acme      deepseek-v4-pro        12  1234567.8901
initech   -                       7       -0.5000"""
STACKED = """\
customer  acme
model     deepseek-v4-pro
requests  12
spend     1234567.8901

customer  initech
model     -
requests  7
spend     -0.5000"""


def printed(layout: Layout, width: int) -> str:
    """The lines of a table, without the blanks that end them."""
    console = Console(width=width, markup=False, emoji=False, highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(layout.table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def table(width: int, rows: list[dict[str, Any]] = ROWS, **options: Collection[str]) -> str:
    return printed(laid_out(COLUMNS, rows, width, **options), width)


def test_what_fits_stands_side_by_side() -> None:
    """Figures to the right; nothing is said of what there is not."""
    assert table(80) == SIDE_BY_SIDE


def test_names_fold_and_figures_do_not() -> None:
    """The widest name gives way first."""
    rows = [{**ROWS[0], "model": "accounts/fireworks/models/deepseek-v4-pro"}, ROWS[1]]

    assert (
        table(60, rows)
        == """\
customer  model                       requests         spend
acme      accounts/fireworks/models/        12  1234567.8901
          deepseek-v4-pro
initech   -                                  7       -0.5000"""
    )


def test_what_has_no_room_is_left_out_or_stacked() -> None:
    """First the columns that may be left out go, and are told; then every row is a block of all fields."""
    layout = laid_out(COLUMNS, ROWS, 40, spare=("requests",))
    assert layout.left_out == ["requests"]
    assert "requests" not in printed(layout, 40)
    assert table(40) == f"{STACKED}\n"
    assert table(50, spare=("requests",)) == SIDE_BY_SIDE


def test_a_figure_or_a_time_among_names_is_whole() -> None:
    """Only what is a name folds."""
    rows = [
        {**ROWS[0], "model": name}
        for name in ("2026-11-20T12:00:00Z", "a word " * 9, "12345678901234")
    ]
    shown = table(60, rows).split()
    assert "2026-11-20T12:00:00Z" in shown
    assert "12345678901234" in shown


def test_what_is_there_to_be_copied_stays_whole() -> None:
    """A digest does not fold as long as there is a line that holds it."""
    rows = [{**ROWS[0], "model": "d" * 64}]
    assert "d" * 64 in table(80, rows, whole=("model",))
    assert "d" * 64 not in table(80, rows)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1.234567890123", "1.2345"),
        ("-0.000100000000", "-0.0001"),
        ("100.00", "100.00"),
        ("7", "7"),
    ],
)
def test_an_amount_is_cut_and_not_rounded(amount: str, shown: str) -> None:
    """Whatever it has fewer of stays."""
    assert cut(amount) == shown


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=255) | st.none()
words = st.text(string.ascii_letters + "-/", min_size=1, max_size=255)
amounts = st.decimals(-(10**15), 10**15, places=12).map(lambda amount: f"{amount:f}")


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "customer": names,
                "model": words,
                "requests": st.integers(-(10**12), 10**12),
                "spend": amounts,
            }
        ),
        min_size=1,
        max_size=4,
    ),
    width=st.integers(LEAST_COLUMNS, 200),
)
def test_no_line_is_too_wide_and_every_figure_is_whole(
    rows: list[Mapping[str, Any]], width: int
) -> None:
    """Whatever the names are, and however many cells their characters take."""
    text = printed(laid_out(COLUMNS, rows, width), width)

    assert max(map(cell_len, text.splitlines())) <= width
    for row in rows:
        for figure in (str(row["requests"]), row["spend"]):
            assert figure in text.split()
