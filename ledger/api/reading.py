"""Reading requests: bodies with a bound on every size, parameters with a rule each."""

import asyncio
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from ledger.api.headers import header_of
from ledger.api.problems import CLIENT_GONE
from ledger.core.bodies import MAX_WINDOW_BYTES, BodyDecoder
from ledger.core.errors import (
    BodyTooLarge,
    FieldError,
    InvalidParameter,
    InvalidRecord,
    MalformedBody,
    UnsupportedMediaType,
)
from ledger.core.instants import parse_instant_or_date
from ledger.core.json_values import kind_of, read_json
from ledger.services.intake.bytes_in_flight import Hold

KEY_LOOK_S = 0.5
MAX_WIRE_BYTES = 64 * 1024 * 1024
MAX_FORM_BYTES = 64 * 1024
JSON = "application/json"
NDJSON = "application/x-ndjson"

# "Object missing required field `amount`", "Object contains unknown field `amounts`"
_NAMED_FIELD = re.compile("field `(.*)`")

AnyRequest = Request[Any, Any, Any]
_T = TypeVar("_T")


def media_type_of(request: AnyRequest, *known: str) -> str:
    """The content type of a body, which must be one of those known; the first one if it is not stated.

    Raises:
        UnsupportedMediaType: another one.
    """
    stated = header_of(request.scope, b"content-type", known[0]).partition(";")[0].strip().lower()
    if stated not in known:
        raise UnsupportedMediaType(f"Content-Type must be {' or '.join(known)}")
    return stated


def encoding_of(request: AnyRequest) -> str:
    """The content encoding of a body, `identity` if it is not stated."""
    return header_of(request.scope, b"content-encoding", "identity").strip().lower()


def name_in_path(request: AnyRequest, field: str, prefix: str, suffix: str = "") -> str:
    """The name between a prefix with its slash and a suffix. Names are any text, slashes included.

    Raises:
        InvalidParameter: it is not UTF-8.
    """
    _, _, quoted = request.scope["raw_path"].decode("latin-1").partition(f"{prefix}/")
    try:
        return unquote(quoted.removesuffix(suffix), errors="strict")
    except UnicodeDecodeError:
        raise InvalidParameter(field, "must be UTF-8, percent-encoded") from None


async def wire_chunks(request: AnyRequest) -> Any:
    """The body as it arrives, up to 64 MiB. The framework's own stream would be a second one around it.

    Raises:
        InternalServerException: who sends it has gone.
        NotAuthenticated: the key ended meanwhile.
        BodyTooLarge: it is longer, by what it announces or by what comes.
    """
    announced = header_of(request.scope, b"content-length")
    received = int(announced) if announced.isascii() and announced.isdigit() else 0
    _check_wire(received)
    received = 0
    loop = asyncio.get_running_loop()
    looked_at_s = loop.time()
    is_whole = False
    while not is_whole:
        message = await request.receive()
        if message["type"] != "http.request":
            raise InternalServerException(CLIENT_GONE)
        is_whole, chunk = not message.get("more_body", False), message.get("body", b"")
        received += len(chunk)
        _check_wire(received)
        if loop.time() - looked_at_s > KEY_LOOK_S:  # a body may take hours, and a key end meanwhile
            await request.app.state.key_guard.require_alive(request.auth)
            looked_at_s = loop.time()
        if chunk:
            yield chunk


async def read_body(request: AnyRequest, most_bytes: int) -> bytes:
    """A whole body, decoded. It counts as bytes in flight until the request is answered.

    Raises:
        BodyTooLarge, MalformedBody, UnsupportedMediaType: as its bytes deserve.
        TooBusy: the bodies of all requests would take too much memory.
    """
    decoder = BodyDecoder(encoding_of(request), most_bytes, MAX_WINDOW_BYTES)
    hold = _hold_of(request)
    body = bytearray()
    async for chunk in wire_chunks(request):
        for piece in decoder.feed(chunk):
            body += piece
            hold.grow_to(len(body) + decoder.held_bytes)
    decoder.finish()
    hold.become(len(body))
    return bytes(body)


async def read_form(request: AnyRequest, form: type[_T], *, may_be_empty: bool = False) -> _T:
    """A small JSON object of a known form. `may_be_empty`: nothing at all stands for `{}`.

    Raises:
        MalformedBody: no JSON.
        InvalidRecord: a field that the form does not have, or one outside its type.
    """
    media_type_of(request, JSON)
    body = await read_body(request, MAX_FORM_BYTES)
    if may_be_empty and not body:
        body = b"{}"
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.ValidationError as error:
        raise InvalidRecord([_form_fault(str(error))]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody(f"the body is not JSON: {error}") from None


async def read_object(request: AnyRequest) -> dict[str, Any]:
    """A small JSON object whose fields are judged by whoever reads them.

    Raises:
        MalformedBody: no JSON.
        InvalidRecord: no object.
    """
    media_type_of(request, JSON)
    body = await read_body(request, MAX_FORM_BYTES)
    try:
        value = read_json(body)
    except (ValueError, RecursionError) as error:
        raise MalformedBody(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        detail = f"the body must be an object, got {kind_of(value)}"
        raise InvalidRecord([FieldError(None, "not_an_object", detail)])
    return value


def _form_fault(message: str) -> FieldError:
    """The decoder's message as a fault of the field that it names."""
    rule, _, path = message.partition(" - at `$.")
    if not path and (named := _NAMED_FIELD.search(rule)):
        path = named[1]
    return FieldError(path.rstrip("`") or None, "invalid_field", rule)


def instant_parameter(name: str, text: str | None) -> datetime:
    """A required time parameter.

    Raises:
        InvalidParameter: missing or not a time.
    """
    if text is None:
        raise InvalidParameter(name, "is required")
    return optional_instant(name, text)  # type: ignore[return-value]


def optional_instant(name: str, text: str | None) -> datetime | None:
    """A time parameter that may be left out."""
    if text is None:
        return None
    try:
        # A plus sign that was not escaped arrives as a space.
        return parse_instant_or_date(text[:11] + text[11:].replace(" ", "+"))
    except ValueError as error:
        raise InvalidParameter(name, str(error)) from None


def integer_parameter(name: str, text: str | None, default: int, least: int, most: int) -> int:
    """A whole number within bounds.

    Raises:
        InvalidParameter: something else.
    """
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):  # noqa: PLR2004
        raise InvalidParameter(name, f"must be a whole number from {least} to {most}")
    return int(text)


def words(values: Iterable[str] | None) -> list[str]:
    """A parameter that may be repeated or separated by commas."""
    return [word for value in values or () for word in value.split(",") if word]


def plain_texts(name: str, values: Iterable[str] | None) -> list[str]:
    """A parameter that may be repeated, of texts that the database can hold.

    Raises:
        InvalidParameter: one has a NUL character, or half a surrogate pair.
    """
    texts = list(values or ())
    if any("\x00" in text for text in texts):
        raise InvalidParameter(name, "must not contain a NUL character")
    if any("\ud800" <= character <= "\udfff" for text in texts for character in text):
        raise InvalidParameter(name, "must not contain half a surrogate pair")
    return texts


def _hold_of(request: AnyRequest) -> Hold:
    """What the request holds in memory, given back however its end comes: each is a task of its own."""
    hold: Hold = request.app.state.intake.bytes_in_flight.hold()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - it runs this
    task.add_done_callback(lambda _: hold.release())
    return hold


def _check_wire(received: int) -> None:
    if received > MAX_WIRE_BYTES:
        raise BodyTooLarge(f"a body may have {MAX_WIRE_BYTES} bytes on the wire")
