"""JSON without a float: every number is the text that stands in the file."""

import json
from decimal import Decimal
from typing import Any, NoReturn

from pricing.imports.drafts import SourceError


def read_json(text: str) -> Any:
    """Read a JSON document; integers stay integers, all other numbers become `Decimal`.

    Raises:
        SourceError: It is not JSON, has a number that is none (NaN), a key that stands twice in an
            object, or is nested too deeply.
    """
    try:
        return json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_repeats,
        )
    except SourceError:
        raise
    except RecursionError:
        raise SourceError("the JSON is nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise SourceError(f"not readable as JSON: {error}") from error


def _refuse_constant(constant: str) -> NoReturn:
    raise SourceError(f"{constant} is no number")


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise SourceError(f"the key {name[:80]!r} stands twice in one object")
        found[name] = value
    return found
