"""What is kept of a refused record: enough to see why, and to send it again once that is mended."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ledger.core.errors import FieldError
from ledger.core.json_values import read_json
from ledger.core.records import KEPT_FIELDS, RequestRecord
from ledger.core.secrets import hide_own_keys, hide_secrets_in_bytes
from ledger.core.statements import Refusal

REJECTED, CONFLICT = "rejected", "conflict"
MAX_KEPT_BYTES = 64 * 1024
# A little more is looked at: a hint may be shorter than its secret.
MAX_SEEN_BYTES = MAX_KEPT_BYTES + 4 * 1024
MAX_KEPT_FAULTS = 10
MAX_NAME_CHARACTERS = 255
_ID_DIGITS = 20
# What is recorded of a record. What else came along may hold a hint.
_COUNTING_FIELDS = tuple(set(RequestRecord.__struct_fields__) - {*KEPT_FIELDS, "extra"})


class Reason(msgspec.Struct, frozen=True):
    """Why a record was refused. `faults` are the first ten of those that were found."""

    outcome: str
    faults: tuple[FieldError, ...]

    @property
    def code(self) -> str:
        """The code of the first fault."""
        return self.faults[0].code

    @property
    def field(self) -> str | None:
        """The field that the first fault is in."""
        return self.faults[0].field

    @property
    def detail(self) -> str:
        """All faults in one line."""
        return "; ".join(f"{fault.field or 'record'}: {fault.detail}" for fault in self.faults)


class Room(msgspec.Struct, frozen=True):
    """How much is kept for one sender."""

    records: int = 10_000
    bytes: int = 64 * 1024 * 1024


class RefusedRecord(msgspec.Struct, frozen=True):
    """A refused record as it is kept: at most 64 KiB, secrets replaced by hints.

    `record_bytes` is how long it was. `is_whole`: what is kept says all that counts.
    """

    quarantine_id: str
    digest: bytes
    reason: Reason
    request_id: str | None
    customer_id: str | None
    record: bytes
    record_bytes: int
    is_whole: bool


def quarantine_id(sender: str, code: str, digest: bytes) -> str:
    """The name of a refused record: the same for the same sender, content and reason.

    `digest` is the SHA-256 of the record as it arrived.
    """
    named = b"\x00".join((sender.encode(), code.encode(), digest))
    return f"q_{hashlib.sha256(named).hexdigest()[:_ID_DIGITS]}"


def reason_for(faults: Sequence[FieldError], *, conflict: bool) -> Reason:
    """Why a record was refused, in texts that the database can hold."""
    kept = tuple(
        FieldError(_kept(fault.field), fault.code, _kept(fault.detail) or "")
        for fault in faults[:MAX_KEPT_FAULTS]
    )
    return Reason(CONFLICT if conflict else REJECTED, kept)


def by_id(sender: str, refusals: Iterable[Refusal]) -> dict[str, tuple[bytes, Refusal]]:
    """Refused records by the ids that they are kept under, each once, with the digests of their content."""
    found: dict[str, tuple[bytes, Refusal]] = {}
    for refusal in refusals:
        digest = hashlib.sha256(refusal.raw).digest()
        name = quarantine_id(sender, refusal.errors[0].code, digest)
        found.setdefault(name, (digest, refusal))
    return found


def refused_record(name: str, digest: bytes, refusal: Refusal) -> RefusedRecord:
    """A refused record as it is kept. However long it is, no more than what may be kept is worked on."""
    is_seen_whole = len(refusal.raw) <= MAX_SEEN_BYTES
    hidden = hide_secrets_in_bytes(refusal.raw[:MAX_SEEN_BYTES])
    is_whole = (
        is_seen_whole
        and len(hidden) <= MAX_KEPT_BYTES
        and not _hides_what_counts(refusal.raw, hidden)
    )
    return RefusedRecord(
        name,
        digest,
        reason_for(refusal.errors, conflict=refusal.conflict),
        _name(refusal.request_id),
        _name(refusal.customer_id),
        hidden[:MAX_KEPT_BYTES],
        len(refusal.raw),
        is_whole,
    )


def storable(text: str | None) -> str | None:
    """A text as the database can hold it: no NUL, no half of a surrogate pair."""
    return (
        None if text is None else text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    )


def _kept(text: str | None) -> str | None:
    """A text as it is kept."""
    return storable(text and hide_own_keys(text))


def _name(text: str | None) -> str | None:
    """What a record names, up to the length that such a name may have."""
    kept = _kept(text)
    return kept and kept[:MAX_NAME_CHARACTERS]


def _hides_what_counts(raw: bytes, hidden: bytes) -> bool:
    """Whether a hint stands in a field that is recorded: sent again, it would say something else."""
    return hidden != raw and _counting(hidden) != _counting(raw)


def _counting(raw: bytes) -> list[Any]:
    """The fields that are recorded; none of what is no object."""
    try:
        value = read_json(raw)
    except (ValueError, RecursionError):
        return []
    return [value.get(name) for name in _COUNTING_FIELDS] if isinstance(value, dict) else []
