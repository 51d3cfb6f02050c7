"""What a handler says of itself for the schema: beside its scopes, in `opt`."""

from collections.abc import Mapping
from typing import Any

from litestar.enums import MediaType
from msgspec import Struct

from ledger.api.openapi.answers.access import Health

_KEY = "operation"
JSON_ONLY = (MediaType.JSON.value,)
JSON_OR_TEXT = (MediaType.JSON.value, MediaType.TEXT.value)
_AS_ASKED = {200: "As asked."}


class Body(Struct, frozen=True):
    """What an operation reads: a type, or a schema, for each media type."""

    contents: Mapping[str, Any]
    description: str
    example: Any = None


class Operation(Struct, frozen=True):
    """What a handler answers and reads; it says so beside its scopes."""

    answer: Any
    statuses: Mapping[int, str]
    media_types: tuple[str, ...]
    body: Body | None
    problems: tuple[int, ...]

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types that it speaks of."""
        answers = () if self.answer is None else (self.answer,)
        return (*answers, *(self.body.contents.values() if self.body else ()))


def says(
    answer: Any,
    *problems: int,
    statuses: Mapping[int, str] = _AS_ASKED,
    media_types: tuple[str, ...] = JSON_ONLY,
    body: Body | None = None,
) -> dict[str, Any]:
    """Say what an operation answers, and what it reads.

    Args:
        answer: The type of a good answer as JSON; None where there is none.
        problems: The statuses of refusals beside those that follow from its scopes, path and body.
        statuses: Those of a good answer, and what each means.
        media_types: The forms of a good answer; only JSON has the type.
        body: What it reads.
    """
    return {_KEY: Operation(answer, statuses, media_types, body, problems)}


def operation_of(opt: Mapping[str, Any]) -> Operation:
    """What was said in the `opt` of a handler; one that says nothing tells that all is well."""
    said: Operation = opt.get(_KEY, says(Health, 503)[_KEY])
    return said
