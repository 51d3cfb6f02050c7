"""What the environment may decide."""

from pathlib import Path

import pytest

from ledger.core.errors import SetupError
from ledger.settings import read_settings

MEBIBYTE = 1024 * 1024


def test_the_bounds_of_a_process_have_defaults_and_may_be_set() -> None:
    """Connections follow the system's limits unless they are set; bodies have 128 MiB."""
    unset = read_settings({})
    assert (unset.max_connections, unset.max_bytes_in_flight) == (None, 128 * MEBIBYTE)
    stated = read_settings(
        {"LEDGER_MAX_CONNECTIONS": "500", "LEDGER_MAX_BYTES_IN_FLIGHT": str(64 * MEBIBYTE)}
    )
    assert (stated.max_connections, stated.max_bytes_in_flight) == (500, 64 * MEBIBYTE)


def test_jobs_have_defaults_and_may_be_set() -> None:
    """No invoices and no files by themselves, and a day until unmetered requests are told."""
    unset = read_settings({})
    assert (unset.invoice_grace_hours, unset.unmetered_hours, unset.export_dir) == (None, 24, None)
    stated = read_settings(
        {
            "LEDGER_INVOICE_GRACE_HOURS": "0",
            "LEDGER_UNMETERED_HOURS": "8760",
            "LEDGER_EXPORT_DIR": "drop",
        }
    )
    assert (stated.invoice_grace_hours, stated.unmetered_hours) == (0, 8760)
    assert stated.export_dir == Path("drop")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LEDGER_INVOICE_GRACE_HOURS", "8761"),
        ("LEDGER_INVOICE_GRACE_HOURS", "1 day"),
        ("LEDGER_UNMETERED_HOURS", "0"),
        ("LEDGER_MAX_CONNECTIONS", "0"),
        ("LEDGER_MAX_CONNECTIONS", "-1"),
        ("LEDGER_MAX_CONNECTIONS", "many"),
        ("LEDGER_MAX_CONNECTIONS", "9" * 5000),
        ("LEDGER_MAX_BYTES_IN_FLIGHT", "1000"),
        ("LEDGER_MAX_BYTES_IN_FLIGHT", "128 MiB"),
    ],
)
def test_a_bound_that_cannot_be_is_named(name: str, text: str) -> None:
    """With the rule that it breaks."""
    with pytest.raises(SetupError, match=f"{name} must be a whole number"):
        read_settings({name: text})
