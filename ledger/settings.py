"""Settings, read once from the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
import platformdirs

from ledger.core.errors import SetupError

ADMIN_KEY_MIN_CHARACTERS = 32
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
DEFAULT_BYTES_IN_FLIGHT = 128 * 1024 * 1024
# Less would have no room for a whole array and what a stream is decoded in.
LEAST_BYTES_IN_FLIGHT = 32 * 1024 * 1024
DEFAULT_UNMETERED_HOURS = 24
MOST_HOURS = 8760  # a year
LOG_FORMATS = ("text", "json")
LOG_LEVELS = ("debug", "info", "warning", "error")
_NO_BOUND = (1 << 60) - 1
_SYSTEM_DATA_DIR = Path("/var/lib/ledger")
_CURRENCY = re.compile(r"[A-Z]{3}")
_N = TypeVar("_N", int, None)


class Settings(msgspec.Struct, frozen=True):
    """Everything that the environment may decide; INTERFACE names in docs/operation.md.

    `database_url` None means the embedded server in `data_dir`.
    """

    database_url: str | None
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8080
    admin_key: str | None = None
    rates_dir: Path | None = None
    currency: str = "USD"
    auto_create_customers: bool = True
    max_connections: int | None = None  # None: as many as the system's limits leave room for
    max_bytes_in_flight: int = DEFAULT_BYTES_IN_FLIGHT
    invoice_grace_hours: int | None = None  # None: no invoice is issued by itself
    export_dir: Path | None = None  # None: no files are written by themselves
    unmetered_hours: int = DEFAULT_UNMETERED_HOURS
    log_format: str = "text"
    log_level: str = "info"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check the settings.

    Raises:
        SetupError: a value that cannot be; the detail names the variable and the rule.
    """
    rates_dir = environment.get("LEDGER_RATES_DIR")
    export_dir = environment.get("LEDGER_EXPORT_DIR")
    return Settings(
        database_url=environment.get("LEDGER_DATABASE_URL") or None,
        data_dir=Path(environment.get("LEDGER_DATA_DIR") or _default_data_dir()),
        host=environment.get("LEDGER_HOST") or "127.0.0.1",
        port=_port(environment.get("LEDGER_PORT") or "8080"),
        admin_key=_admin_key(environment.get("LEDGER_ADMIN_KEY")),
        rates_dir=Path(rates_dir) if rates_dir else None,
        currency=_currency(environment.get("LEDGER_CURRENCY") or "USD"),
        auto_create_customers=_boolean(
            "LEDGER_AUTO_CREATE_CUSTOMERS",
            environment.get("LEDGER_AUTO_CREATE_CUSTOMERS") or "true",
        ),
        max_connections=_number(environment, "LEDGER_MAX_CONNECTIONS", None, 1),
        max_bytes_in_flight=_number(
            environment,
            "LEDGER_MAX_BYTES_IN_FLIGHT",
            DEFAULT_BYTES_IN_FLIGHT,
            LEAST_BYTES_IN_FLIGHT,
        ),
        invoice_grace_hours=_number(environment, "LEDGER_INVOICE_GRACE_HOURS", None, 0, MOST_HOURS),
        export_dir=Path(export_dir) if export_dir else None,
        unmetered_hours=_number(
            environment, "LEDGER_UNMETERED_HOURS", DEFAULT_UNMETERED_HOURS, 1, MOST_HOURS
        ),
        log_format=_choice(
            "LEDGER_LOG_FORMAT", environment.get("LEDGER_LOG_FORMAT") or "text", LOG_FORMATS
        ),
        log_level=_choice(
            "LEDGER_LOG_LEVEL", environment.get("LEDGER_LOG_LEVEL") or "info", LOG_LEVELS
        ),
    )


def _default_data_dir() -> Path:
    if os.geteuid() == 0:
        return _SYSTEM_DATA_DIR
    try:
        return Path(platformdirs.user_data_dir("ledger", appauthor=False))
    except RuntimeError:  # a user with neither HOME nor an entry in /etc/passwd
        return _SYSTEM_DATA_DIR


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:  # noqa: PLR2004 - 16 bits
        raise SetupError("LEDGER_PORT must be a number from 0 to 65535 (0: any free port)")
    return int(text)


def _number(
    environment: Mapping[str, str], name: str, default: _N, least: int, most: int = _NO_BOUND
) -> int | _N:
    text = environment.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= most:
        to = f"from {least} to {most}" if most < _NO_BOUND else f"{least} or more"
        raise SetupError(f"{name} must be a whole number, {to}")
    return int(text)


def _admin_key(text: str | None) -> str | None:
    if text and len(text) < ADMIN_KEY_MIN_CHARACTERS:
        raise SetupError(
            f"LEDGER_ADMIN_KEY must have {ADMIN_KEY_MIN_CHARACTERS} characters or more"
        )
    if text and not (text.isascii() and text.isprintable() and text == text.strip()):
        raise SetupError("LEDGER_ADMIN_KEY must be printable ASCII, as it travels in a header")
    return text or None


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise SetupError("LEDGER_CURRENCY must be three capital letters such as USD")
    return text


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise SetupError(f"{name} must be true or false")
    return text.lower() in _TRUE


def _choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    if text.lower() not in choices:
        raise SetupError(f"{name} must be one of {', '.join(choices)}")
    return text.lower()
