"""Erasing personal text. That it was erased, by whom and why, is a fact; what it said is gone."""

from collections.abc import Sequence
from typing import Any

from ledger.clock import Clock
from ledger.core.digests import text_digest
from ledger.core.errors import FieldError, InvalidRecord
from ledger.core.redaction import WORDS, Words, check_names, erase
from ledger.randomness import Salts, new_salt
from ledger.services.decisions import deciding
from ledger.services.targets import find_target
from ledger.store.database import Database
from ledger.store.redaction import LeftOver, read_words, write_left_over


async def redact_request(
    database: Database,
    clock: Clock,
    actor: str,
    request_id: str,
    *,
    names: Sequence[str] = WORDS,
    reason: str,
    customer_id: str | None = None,
    salts: Salts = new_salt,
) -> dict[str, Any]:
    """Erase words of a request, all of them unless some are named. Amounts and digests stay whole.

    Gives what was erased by this call and before it, and names of what was not there, which is no fault.

    Raises:
        InvalidRecord: a name of something that cannot be erased, such as what carries money.
        NotFound, AmbiguousRequestId: as for any request.
    """
    names = tuple(dict.fromkeys(names))
    faults = check_names(names)
    if not names:
        faults = [FieldError("fields", "missing", "must name at least one")]
    if faults:
        raise InvalidRecord(faults)
    erased_now: set[str] = set()
    async with deciding(database, clock, actor, reason=reason, fenced=False) as batch:
        target = await find_target(batch.connection, request_id, customer_id)
        worded = await read_words(batch.connection, target.key.bits, target.customer)
        for each in worded:
            # Each revision by itself: what was erased of a sighting says nothing about its completion.
            if found := [name for name in names if erase(each.words, [name]) != each.words]:
                erased_now |= set(found)
                erased = sorted({*found, *each.redacted})
                left_over = LeftOver(each.revision, erase(each.words, found), salts())
                digests = {str(each.revision): _digest(left_over).hex()}
                await write_left_over(
                    batch.connection, target.key.bits, target.customer, erased, [left_over]
                )
                body = {"request_id": request_id, "erased": erased, "digests": digests}
                batch.record("text_redacted", target.customer, request_id, body)
    before = {name for each in worded for name in each.redacted}
    return {
        "request_id": request_id,
        "erased": sorted(erased_now),
        "erased_before": sorted(before - erased_now),
        "not_there": sorted(set(names) - erased_now - before),
    }


def _digest(left_over: LeftOver) -> bytes:
    words: Words = left_over.words
    return text_digest(left_over.salt, words.response_id, words.metadata, words.fields)
