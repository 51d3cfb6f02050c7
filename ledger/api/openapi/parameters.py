"""Parameters as the schema shows them. They arrive as text, and whoever reads one judges it."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from litestar.params import PathParameter, QueryParameter
from msgspec import Meta

from ledger.core.shapes import PLAIN, KeyType, PlainText, described
from ledger.services.requests import STATUSES

_DATE_TIME = {"type": "string", "format": "date-time"}
_CUT = "[0-9]+-[0-9]+([.][0-9]+-[0-9]+)*"
# Two texts in JSON, without escapes.
_PAIR = r'\["[^"\\\u0000-\u001f]*","[^"\\\u0000-\u001f]*"\]'
INSTANT_OR_DAY = {
    "description": "A time with its offset, or a day, which is its midnight in UTC.",
    "anyOf": [_DATE_TIME, {"type": "string", "format": "date"}],
    "examples": ["2026-10-01T00:00:00Z"],
}
POINT_IN_LOG = {
    "description": "A time, a day, a cut such as `1-23.2-5`, or the `as_of` of an answer.",
    "anyOf": [
        *INSTANT_OR_DAY["anyOf"],
        {"type": "string", "pattern": f"^{_CUT}$"},
        {"type": "string", "pattern": f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:.]+Z~({_CUT})?$"},
    ],
}


@dataclass(frozen=True, eq=False)
class Query(QueryParameter):
    """A parameter in the query: the type of what its text stands for, and whether it must be there."""

    shape: Any = str
    must: bool = False


@dataclass(frozen=True, eq=False)
class Path(PathParameter):
    """A part of the path."""

    shape: Any = str
    must: bool = True


def page_size(default: int, most: int, least: int = 1) -> Query:
    """The parameter `limit` of a list."""
    return Query(
        description="How many there may be in the answer.",
        shape=Annotated[int, Meta(ge=least, le=most, extra_json_schema={"default": default})],
    )


Text = str | None
Texts = list[str] | None

Cursor = Annotated[
    Text, Query(description="The `next_cursor` of the page before.", shape=PlainText)
]
Customer = Annotated[Text, Query(description="The customer that it is about.", shape=PlainText)]
Customers = Annotated[
    Texts, Query(description="Customers that it is about; all if left out.", shape=list[PlainText])
]
From = Annotated[
    Text, Query(name="from", description="The first instant.", shape=INSTANT_OR_DAY, must=True)
]
To = Annotated[
    Text, Query(name="to", description="The first instant after.", shape=INSTANT_OR_DAY, must=True)
]
MaybeFrom = Annotated[
    Text, Query(name="from", description="The first instant.", shape=INSTANT_OR_DAY)
]
MaybeTo = Annotated[
    Text, Query(name="to", description="The first instant after.", shape=INSTANT_OR_DAY)
]
Model = Annotated[Text, Query(description="The exact id of a model.", shape=PlainText)]
RequestStatus = Annotated[
    Text, Query(description="What became of it, so far.", shape=Literal[STATUSES])
]
MetadataFilters = Annotated[
    Text,
    Query(
        description='JSON: pairs that must all be in the metadata, such as `[["feature","chat"]]`.',
        shape=Annotated[str, described("", pattern=rf"^(\[({_PAIR}(,{_PAIR})*)?\])?$")],
    ),
]
Provider = Annotated[Text, Query(description="One provider.", shape=PlainText)]
Version = Annotated[Text, Query(description="One version.", shape=PlainText)]
At = Annotated[
    Text, Query(description="Those that are in force at that time.", shape=INSTANT_OR_DAY)
]
KeyTypes = Annotated[
    Texts, Query(description="Whose keys the provider was called with.", shape=list[KeyType])
]


def _in_path(description: str, **rules: Any) -> Path:
    return Path(
        description=description,
        shape=Annotated[str, described("", **({"minLength": 1, "pattern": PLAIN} | rules))],
    )


InvoiceNumber = Annotated[str, _in_path("The number of an invoice.")]
LineNumber = Annotated[
    str, Path(description="The line, from 1.", shape=Annotated[int, Meta(ge=1, le=10**9 - 1)])
]
KeyId = Annotated[str, _in_path("The id of a key: `lk_` and ten characters.")]
QuarantineId = Annotated[str, _in_path("The id of a refused record.")]
ExportedFile = Annotated[
    str, Path(description="The file.", shape=Literal["usage.csv", "invoices.csv"])
]
RequestId = Annotated[str, _in_path("The id, whatever text it is; slashes in it as %2F.")]
CustomerInPath = Annotated[
    str, _in_path("The id, whatever text it is; slashes in it as %2F.", maxLength=255)
]
