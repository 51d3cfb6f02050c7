"""The manifest: what an export holds, of which state, and how to check it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.core.instants import format_instant

NAME = "manifest.json"
SCHEMA_VERSION = 1


class ExportedFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file: its rows without the header, sums as decimal text, SHA-256 of its bytes as they lie there.

    One that is compressed also says how, and the SHA-256 of the CSV in it, whose rows and sums they are.
    """

    name: str
    rows: int
    sums: dict[str, str]
    sha256: str
    compression: str | None = None
    csv_sha256: str | None = None


def build_manifest(
    start_at: datetime,
    end_at: datetime,
    as_of: str,
    currency: str,
    files: Sequence[ExportedFile],
) -> dict[str, Any]:
    """The manifest of files over `[start_at, end_at)`; `as_of` names the one state they all show."""
    return {
        "schema_version": SCHEMA_VERSION,
        "from": format_instant(start_at),
        "to": format_instant(end_at),
        "as_of": as_of,
        "currency": currency,
        "files": [msgspec.to_builtins(file) for file in files],
    }


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    """The manifest as the file that it becomes."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
