"""JSON values as they arrive: exact numbers, and what cannot be kept read too, so that it can be named."""

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

_DOUBLE_MAX = Decimal("1.7976931348623157e308")  # IEEE 754 binary64
_MOST_DIGITS = 308  # a double holds every number of as many digits


class NoNumber(msgspec.Struct, frozen=True):
    """What stands where a number should and is none that can be kept."""

    code: str
    kind: str


_OUT_OF_RANGE = NoNumber("out_of_range", "a number beyond the range of a double")


def read_json(raw: bytes) -> Any:
    """JSON with exact numbers. What cannot be kept is read too, so that the field can be named.

    Half a surrogate pair stays in its text; NaN and numbers beyond all range become `NoNumber`.

    Raises:
        JSONDecodeError, UnicodeDecodeError: no JSON, or no UTF-8; both are ValueErrors.
        RecursionError: it nests too deep to be read at all.
    """
    return json.loads(
        raw.decode("utf-8-sig", "surrogatepass"),
        parse_float=_number,
        parse_int=_integer,
        parse_constant=_not_finite,
    )


def _not_finite(_word: str) -> NoNumber:
    return NoNumber("not_finite", "NaN or infinity")


def _number(text: str) -> Decimal | NoNumber:
    """A number as it is written, unless it is beyond what a double can hold."""
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return _OUT_OF_RANGE
    return number if number.copy_abs() <= _DOUBLE_MAX else _OUT_OF_RANGE


def _integer(text: str) -> int | NoNumber:
    return int(text) if len(text) <= _MOST_DIGITS else _OUT_OF_RANGE


def kind_of(value: object) -> str:
    """Say what kind of JSON value this is, without repeating it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal():
            return _kind_of_number(value)
        case str():
            return f"a string of {_counted(len(value), 'character')}"
        case list():
            return f"an array of {_counted(len(value), 'element')}"
        case _:
            return "an object"


def _kind_of_number(number: int | Decimal) -> str:
    if isinstance(number, int):
        digits = _counted(len(str(abs(number))), "digit")
        return "a negative integer" if number < 0 else f"an integer of {digits}"
    if not number.is_finite():
        return "a number that is not finite"
    return "a negative number" if number < 0 else "a number with a fraction or exponent"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def walk(value: object) -> Iterator[object]:
    """Every key and leaf of a JSON value, without recursion."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.keys())
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        else:
            yield part


def depth_of(value: object) -> int:
    """How deep a JSON value nests, without recursion; a number has depth 1."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for part in level
            if isinstance(part, dict | list)
            for child in (part.values() if isinstance(part, dict) else part)
        ]
    return depth


def is_unicode(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, so that it can be stored."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_storable(text: str) -> bool:
    """Whether the database can hold a text."""
    return "\x00" not in text and is_unicode(text)


def why_malformed(error: json.JSONDecodeError | UnicodeDecodeError) -> str:
    """What is wrong with a text that is no JSON, and where."""
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 at byte {error.start}"
    what = error.msg.lower().removesuffix(" at")
    return f"is not JSON: {what} at character {error.pos}"
