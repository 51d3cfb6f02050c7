"""The manifest of an export."""

import json
from datetime import UTC, datetime

from ledger.exports.manifest import ExportedFile, build_manifest, manifest_bytes


def test_the_manifest_names_span_state_and_files() -> None:
    """Every key of the interface, times in `Z`, sums as text."""
    file = ExportedFile("usage.csv", 2, {"cost": "0.100000000000"}, "ab" * 32)

    manifest = build_manifest(
        datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), "now~1-7", "USD", [file]
    )

    assert manifest == {
        "schema_version": 1,
        "from": "2026-04-01T00:00:00Z",
        "to": "2026-06-01T00:00:00Z",
        "as_of": "now~1-7",
        "currency": "USD",
        "files": [
            {
                "name": "usage.csv",
                "rows": 2,
                "sums": {"cost": "0.100000000000"},
                "sha256": "ab" * 32,
            }
        ],
    }
    assert json.loads(manifest_bytes(manifest)) == manifest
