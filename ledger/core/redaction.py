"""Erasing personal text: which words of a request can go, and what is left of them.

Words are what came along and carries no money: the provider's response id, the metadata, and the fields that
the ledger does not know. One metadata pair or one unknown field can be named alone: `metadata.email`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from ledger.core.errors import FieldError
from ledger.core.json_values import is_storable
from ledger.core.records import RequestRecord

RESPONSE_ID, METADATA, FIELDS = "response_id", "metadata", "fields"
WORDS = (RESPONSE_ID, METADATA, FIELDS)
_RULE = f"must be one of {', '.join(WORDS)}, or one part of them such as metadata.email"


class Words(msgspec.Struct, frozen=True):
    """The words of one revision; `fields` is the JSON of an object."""

    response_id: str | None
    metadata: dict[str, str] | None
    fields: str | None


def check_names(names: Sequence[str]) -> list[FieldError]:
    """Name what cannot be erased."""
    return [fault for name in names if (fault := _fault(name)) is not None]


def erase(words: Words, names: Sequence[str]) -> Words:
    """What is left of words; names of what is not there do nothing."""
    metadata, fields = words.metadata, _fields(words.fields)
    for name in names:
        word, _, part = name.partition(".")
        if word == METADATA and metadata is not None:
            metadata = _without(metadata, part)
        elif word == FIELDS and fields is not None:
            fields = _without(fields, part)
    return Words(
        response_id=None if RESPONSE_ID in names else words.response_id,
        metadata=metadata or None,
        fields=msgspec.json.encode(fields).decode() if fields else None,
    )


def _fault(name: str) -> FieldError | None:
    word, dot, part = name.partition(".")
    if (
        is_storable(name)
        and word in WORDS
        and (part or not dot)
        and not (word == RESPONSE_ID and dot)
    ):
        return None
    if word not in WORDS and word in RequestRecord.__struct_fields__:
        detail = f"is what the request is billed or known by and cannot be erased; {_RULE}"
        return FieldError(name, "not_redactable", detail)
    return FieldError(name, "unknown_field", _RULE)


def _fields(text: str | None) -> dict[str, Any] | None:
    """Unknown fields by name, their values as they were written."""
    return None if text is None else msgspec.json.decode(text, type=dict[str, msgspec.Raw])


def _without(pairs: dict[str, Any], part: str) -> dict[str, Any]:
    """Pairs without one of them, or without all if none is named."""
    return {name: value for name, value in pairs.items() if part and name != part}
