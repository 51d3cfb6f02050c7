"""Keeping records that could not be accepted, with the reason."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from ledger.core.secrets import hide_secrets_in_bytes
from ledger.core.statements import Refusal
from ledger.store.database import Connection
from ledger.store.sql_files import query

MAX_KEPT_BYTES = 64 * 1024

_KEEP = query("quarantine", "keep")


async def keep_refused(
    connection: Connection, sender: str, refusals: Sequence[Refusal], seen_at: datetime
) -> None:
    """Keep refused records under their sender, once each, secrets replaced by a hint."""
    rows = {}
    for refusal in refusals:
        first = refusal.errors[0]
        digest = hashlib.sha256(refusal.raw).digest()
        rows[digest, first.code] = (
            digest,
            first.code,
            "conflict" if refusal.conflict else "rejected",
            first.field,
            "; ".join(f"{error.field or 'record'}: {error.detail}" for error in refusal.errors),
            refusal.customer_id,
            refusal.request_id,
            hide_secrets_in_bytes(refusal.raw)[:MAX_KEPT_BYTES],
        )
    if rows:
        await connection.execute(_KEEP, sender, seen_at, *zip(*rows.values(), strict=True))
