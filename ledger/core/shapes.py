"""Texts and numbers of the interface as its schema describes them.

These describe; whoever reads a value judges it, and says more about what is wrong than a schema could.
"""

from typing import Annotated, Literal

from msgspec import Meta

PLAIN = r"^[^\u0000]*$"  # everything but a NUL, which the database cannot hold
# One line that shows all of itself: no control character, no space but the plain one.
PRINTABLE = r"^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$"
_DECIMAL = r"^-?[0-9]+\.[0-9]+$"


def described(description: str, **rules: object) -> Meta:
    """A description with rules of JSON Schema, which decoding does not apply."""
    return Meta(description=description or None, extra_json_schema=rules)


PlainText = Annotated[str, described("Any text without a NUL.", pattern=PLAIN)]
CustomerId = Annotated[str, described("Who pays.", minLength=1, maxLength=255, pattern=PLAIN)]
Reason = Annotated[
    str, described("Why, for the record.", minLength=1, maxLength=1000, pattern=PLAIN)
]
Amount = Annotated[str, described("A decimal amount with 12 places.", pattern=_DECIMAL)]
Money = Annotated[
    str, described("An amount with the places of its currency.", pattern=r"^-?[0-9]+(\.[0-9]+)?$")
]
Instant = Annotated[str, described("An RFC 3339 time in UTC.", format="date-time", pattern="Z$")]
Day = Annotated[str, described("A day in UTC.", format="date")]
Month = Annotated[
    str, described("A month in UTC.", pattern=r"^([1-8][0-9]{3}|9[0-8][0-9]{2})-(0[1-9]|1[0-2])$")
]
Seconds = Annotated[str, described("Seconds with 6 decimals.", pattern=_DECIMAL)]
KeyType = Literal["managed", "byok"]
ProviderKeyType = Literal["managed", "unmanaged"]
