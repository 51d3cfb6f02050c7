"""JSON arrays, a line each, as CSV that COPY reads.

Without its brackets such a line is CSV already: values between commas, text in quotes, `null` unquoted. What
differs are the escapes. CSV with a backslash for ESCAPE knows those of a quote and of a backslash; lines with
any other, which stand for control characters, are not taken.
"""

from typing import Any

CSV_OPTIONS: dict[str, Any] = {"format": "csv", "null": "null", "escape": "\\"}


def as_csv(lines: bytes) -> bytes | None:
    """The lines without their brackets; None where one has an escape that CSV does not have."""
    if b"\\" in lines:
        others = lines.replace(rb"\\", b"").replace(rb"\"", b"")
        if b"\\" in others:
            return None
    return lines[1:-2].replace(b"]\n[", b"\n") + b"\n"
