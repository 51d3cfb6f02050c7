"""Content codings: the one that an answer is sent in, of those that its reader takes (RFC 9110, 12.5.3)."""

from collections.abc import Sequence

IDENTITY = "identity"
_ANY_OTHER = "*"


def choose_coding(accepted: str, offered: Sequence[str]) -> str:
    """The coding of `offered` with the highest weight in `Accept-Encoding`; the first of equal ones.

    `identity` where the header is empty, or names no offered one with a weight above zero. It is also taken
    where the header gives it more weight than any; where it refuses that as well, better that than nothing.
    """
    weights = _weights(accepted)
    any_other = weights.get(_ANY_OTHER, 0.0)
    best, best_weight = IDENTITY, weights.get(IDENTITY, 0.0)
    for coding in offered:
        weight = weights.get(coding, any_other)
        if weight > best_weight or (weight == best_weight > 0 and best == IDENTITY):
            best, best_weight = coding, weight
    return best


def _weights(accepted: str) -> dict[str, float]:
    """The weight of each coding that the header names; one that cannot be read counts as refused."""
    weights = {}
    for element in accepted.lower().split(","):
        coding, _, parameter = element.partition(";")
        weights[coding.strip()] = _weight_in(parameter.strip())
    return weights


def _weight_in(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        weight = float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
