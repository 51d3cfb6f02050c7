"""Same or conflict: a resent record is compared field by field, only in what both copies state.

What we derived (receipt time, inferred provider, default meter, rate), what the sender says it cost and
unknown fields are never compared.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ledger.core.errors import FieldError
from ledger.core.statements import Stated, Statement
from ledger.core.usage.stated import OTHER_FIELDS
from pricing import BATCH_TIER, STANDARD_TIERS, input_tokens_of, output_tokens_of


class Difference(msgspec.Struct, frozen=True):
    """A field that both copies state, and what each says in it."""

    field: str
    recorded: Any
    resent: Any


def first_difference(recorded: Statement, resent: Statement) -> FieldError | None:
    """The first field that both state with different values; None when they say the same.

    Every resent record passes here, hence no list of `differences`.
    """
    if recorded.key.opaque_id != resent.key.opaque_id:
        return FieldError("request_id", "id_collision", "shares its key with another request id")
    both = _stated_by_both(recorded, resent)
    for bit, field, value_of in _COMPARED:
        if both & bit and value_of(recorded) != value_of(resent):
            return FieldError(
                field, "conflicting_value", "differs from what is recorded under this request id"
            )
    return None


def differences(recorded: Statement, resent: Statement) -> list[Difference]:
    """Every field that both state with different values, in the order in which the first is named."""
    found = []
    if recorded.key.opaque_id != resent.key.opaque_id:
        found.append(Difference("request_id", recorded.request_id, resent.request_id))
    both = _stated_by_both(recorded, resent)
    for bit, field, value_of in _COMPARED:
        if both & bit and (said := value_of(recorded)) != (says := value_of(resent)):
            found.append(Difference(field, said, says))
    return found


def _stated_by_both(recorded: Statement, resent: Statement) -> int:
    """The bits of the fields to compare."""
    both = recorded.stated & resent.stated
    if both & _SERVICE_TIER and BATCH_TIER in (recorded.service_tier, resent.service_tier):
        both |= _BATCH  # it is another word for what that field says
    return both


def _tier(statement: Statement) -> str | None:
    """The tier that is billed; other words for the standard are none."""
    tier = statement.service_tier
    return None if tier in STANDARD_TIERS or tier == BATCH_TIER else tier


def _other_quantity(name: str) -> Callable[[Statement], Any]:
    return lambda statement: (statement.quantities.other or {}).get(name, 0)


_SERVICE_TIER, _BATCH = Stated.SERVICE_TIER.value, Stated.BATCH.value
# In the order in which a difference is named.
_COMPARED: tuple[tuple[int, str, Callable[[Statement], Any]], ...] = (
    (Stated.MODEL.value, "model", lambda it: it.model),
    (Stated.PROVIDER.value, "provider", lambda it: it.provider),
    (Stated.KEY_TYPE.value, "provider_key_type", lambda it: it.key_type),
    (Stated.INPUT_TOKENS.value, "input_tokens", lambda it: input_tokens_of(it.quantities)),
    (
        Stated.CACHED_INPUT_TOKENS.value,
        "cached_input_tokens",
        lambda it: it.quantities.cached_input_tokens,
    ),
    (Stated.OUTPUT_TOKENS.value, "output_tokens", lambda it: output_tokens_of(it.quantities)),
    *((Stated[name.upper()].value, name, _other_quantity(name)) for name in OTHER_FIELDS),
    (_SERVICE_TIER, "service_tier", _tier),
    (_BATCH, "batch", lambda it: it.is_batch or it.service_tier == BATCH_TIER),
    (Stated.REGION.value, "region", lambda it: it.region),
    (Stated.ACCELERATOR.value, "accelerator", lambda it: it.accelerator),
    (Stated.METER.value, "meter_slug", lambda it: it.meter_slug),
    (Stated.TIMESTAMP.value, "timestamp", lambda it: it.occurred_at),
    (Stated.METADATA.value, "metadata", lambda it: it.metadata),
)
