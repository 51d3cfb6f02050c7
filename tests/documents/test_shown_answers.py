"""What counts as the answer that a page shows, so that a page that lies is found."""

import pytest

from tests.documents.desk import agrees

TABLE = "Invoices                \nnumber      customer    total\nINV-000001  acme         4.63\n"
JSON = '{"total": "4.63", "lines": [1, 2]}'


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("Invoices\nnumber customer total\nINV-000001 acme 4.63", TABLE),
        ("...\nINV-000001  acme  4.63", TABLE),
        ("Invoices\n...", TABLE),
        ("Invoices\n...\nINV-... 4.63", TABLE),
        ('{"total":"4.63",\n "lines": [1,\n 2]}', JSON),
        ('{"total": "4.63", ...}', JSON),
        ("digest (64 digits)", f"digest {'0f' * 32}"),
    ],
)
def test_what_is_shown_is_what_is_printed(shown: str, printed: str) -> None:
    """But for the widths of columns, the wrapping of JSON and what is left out with dots."""
    assert agrees(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("Invoices\nnumber customer total\nINV-000001 acme 4.64", TABLE),
        ("Invoices\nINV-000001  acme  4.63", TABLE),
        ("Invoices\nnumber customer total", TABLE),
        ('{"total": "4.63"}', JSON),
        ("digest (64 digits)", "digest 0f"),
    ],
)
def test_what_differs_is_found(shown: str, printed: str) -> None:
    """Another figure, and lines that are missing without dots in their place."""
    assert not agrees(shown, printed)
