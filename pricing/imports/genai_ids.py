"""Which ids a model of genai-prices goes by: those its rules name, and dated ones of those."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

# The id of a tuned model goes on with the customer's own words.
_TUNED = re.compile(r"ft:|.*\.ft-")
_DATED_RULE = re.compile(
    r"\^?((?:[A-Za-z0-9_/-]|\\\.)+?)(-|\[-@\])\\d\{(?:8|4\}-\\d\{2\}-\\d\{2)\}\$"
)
_OPEN_END = ("-", "@", ":", ".")
_CLAIMS: Mapping[str, Callable[[str, str], bool]] = {
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
}
_DATE_BEGUN = re.compile(r".*[-@]20[0-9]{2}-?")


class Ids(Struct, frozen=True):
    """The ids of one model.

    Attributes:
        exact: Ids that are named whole, the first the model's own where that is one of them.
        claims: Parts of ids by which alone the model is found, each after where it must stand.
        patterns: Patterns in our form, for dated ids of a stem and for tuned models.
        unread: Rules that are not taken over, as text.
    """

    exact: tuple[str, ...]
    claims: tuple[tuple[str, str], ...]
    patterns: tuple[str, ...]
    unread: tuple[str, ...]

    def claims_name(self, name: str) -> bool:
        """Whether the rules find the model by this id, though they may not name it whole."""
        return any(_CLAIMS[kind](name, text) for kind, text in self.claims)


def ids_of(model: str, match: Mapping[str, Any]) -> Ids:
    """Read the rules by which a model is found.

    An id is taken when it is named whole, or is the model's own. Of what goes on after a stem only
    dates are taken, since another word there often is another model. Rules that are regular
    expressions are read when they say just that; else they are named in `unread`.
    """
    exact: list[str] = []
    begun: list[str] = []
    claims: list[tuple[str, str]] = []
    patterns: list[str] = []
    unread: list[str] = []
    for kind, text, is_alone in _rules(match):
        if kind == "equals":
            exact.append(text)
        elif kind == "regex":
            dated = _DATED_RULE.fullmatch(text)
            if dated:
                patterns.append(dated[1].replace("\\.", ".") + "-20*")
            else:
                unread.append(text)
        elif kind not in _CLAIMS:
            unread.append(text)
        else:
            begun.append(text)
            if is_alone:
                claims.append((kind, text))
            if is_alone and kind != "ends_with":
                patterns.append(_pattern_of(text))
    own = [model] if model in exact or any(map(model.startswith, begun)) else []
    return Ids(
        exact=tuple(dict.fromkeys(own + exact)) or (model,),
        claims=tuple(claims),
        patterns=tuple(dict.fromkeys(patterns)),
        unread=tuple(unread),
    )


def _rules(match: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Give each simple rule as its kind, its text, and whether it needs no other to hold."""
    for kind, value in match.items():
        if isinstance(value, str):
            yield kind, value, True
        elif isinstance(value, list):
            inner = [rule for each in value if isinstance(each, dict) for rule in _rules(each)]
            yield from ((name, text, alone and kind == "or") for name, text, alone in inner)


def _pattern_of(stem: str) -> str:
    if _is_open(stem):
        return f"{stem}*"
    return f"{stem}20*" if stem.endswith(_OPEN_END) else f"{stem}-20*"


def _is_open(stem: str) -> bool:
    """Whether what follows the stem cannot be another model: a date begun, or a tuned model."""
    return _DATE_BEGUN.fullmatch(stem) is not None or _TUNED.match(stem) is not None
