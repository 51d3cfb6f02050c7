"""`/schema`: OpenAPI as JSON for programs, the same as a page for browsers; no script, no other host."""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import Any

from litestar import Request, Response
from litestar.enums import MediaType, OpenAPIMediaType
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.status_codes import HTTP_404_NOT_FOUND

from ledger.api.hygiene import NOTHING_LOADED
from ledger.core.errors import NotFound

_JSON = OpenAPIMediaType.OPENAPI_JSON.value
_HTML = MediaType.HTML.value
_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid; margin: 1.5rem 0; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: .1rem 1rem .1rem 0; }
"""
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"{NOTHING_LOADED}; style-src 'sha256-{_STYLE_HASH}'"
_QUOTED = re.compile("`([^`]*)`")
# Rules of a schema that are said as they stand.
_RULES = (
    *("format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "multipleOf", "default"),
)

Document = dict[str, Any]


class SchemaPage(OpenAPIRenderPlugin):
    """Answers the path of the schema itself in the form that the caller would rather have."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=OpenAPIMediaType.OPENAPI_JSON, favicon="", style="")

    def render(self, request: Request[Any, Any, Any], openapi_schema: Document) -> Any:
        """The page if HTML is wanted more than JSON, else JSON."""
        wanted = request.accept.best_match([_JSON, MediaType.JSON.value, _HTML], default=_JSON)
        headers = {"Vary": "Accept"}
        if wanted != _HTML:
            body = self.render_json(request, openapi_schema)
            return Response(body, media_type=wanted, headers=headers)
        headers["Content-Security-Policy"] = _POLICY
        return Response(render_page(openapi_schema), media_type=_HTML, headers=headers)


def refuse_unknown_page(response: Response[Any]) -> Response[Any]:
    """Under the schema there is nothing else; the framework would answer that with a page of its own.

    Raises:
        NotFound: always, instead of that page.
    """
    if response.status_code == HTTP_404_NOT_FOUND:
        raise NotFound("there is nothing under this path")
    return response


def render_page(schema: Document) -> str:
    """Every endpoint with its parameters, bodies and answers, by tag, and the objects they speak of."""
    title = escape(f"{schema['info']['title']} {schema['info']['version']}")
    operations = [
        (operation.get("tags", [""])[0], method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    sections = [
        _section(tag, (_operation(*each[1:]) for each in members))
        for tag, members in groupby(sorted(operations, key=itemgetter(0)), itemgetter(0))
    ]
    named = schema.get("components", {}).get("schemas", {})
    objects = (
        f"<article id='object-{escape(name)}'><h3>{escape(name)}</h3>"
        f"<p>{_words(shape.get('description', ''))}</p>{_shape(shape)}</article>"
        for name, shape in sorted(named.items())
    )
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head><body>"
        f"<h1>{title}</h1><p>As JSON: <a href='/schema/openapi.json'>openapi.json</a></p>"
        f"{''.join(sections)}{_section('objects', objects)}</body></html>"
    )


def _section(heading: str, articles: Iterable[str]) -> str:
    return f"<section><h2>{escape(heading)}</h2>{''.join(articles)}</section>"


def _operation(method: str, path: str, operation: Document) -> str:
    parts = [
        f"<article><h3><code>{method.upper()} {escape(path)}</code></h3>",
        f"<p><b>{_words(operation.get('summary', ''))}.</b></p>",
        *(f"<p>{_words(each)}</p>" for each in operation.get("description", "").split("\n\n")),
    ]
    if parameters := operation.get("parameters"):
        rows = (
            _row(
                f"<code>{escape(each['name'])}</code>",
                escape(each["in"]) + (", required" if each.get("required") else ""),
                _shape(each.get("schema", {})),
                _words(each.get("description", "")),
            )
            for each in parameters
        )
        parts.append(f"<h4>Parameters</h4><table>{''.join(rows)}</table>")
    if body := operation.get("requestBody"):
        parts.append(f"<h4>Body</h4><table>{_contents('', body)}</table>")
    answers = "".join(_contents(status, each) for status, each in operation["responses"].items())
    return "".join([*parts, f"<h4>Answers</h4><table>{answers}</table></article>"])


def _contents(status: str, answer: Document) -> str:
    """A row for each media type of a body."""
    said = _words(answer.get("description") or "")
    kinds = answer.get("content") or {"": {}}
    return "".join(
        _row(f"<b>{status}</b>", escape(kind), said, _shape(each.get("schema", {})))
        for kind, each in kinds.items()
    )


def _shape(schema: Document) -> str:
    """What a value may be, in words; the fields of an object as a table."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#object-{name}'>{name}</a>"
    for union in ("oneOf", "anyOf", "allOf"):
        if union in schema:
            return " or ".join(_shape(each) for each in schema[union])
    if words := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        shown = ("null" if each is None else escape(str(each)) for each in words)
        return " or ".join(f"<code>{each}</code>" for each in shown)
    if fields := schema.get("properties"):
        required = schema.get("required", ())
        return f"<table>{''.join(_field(name, each, required) for name, each in fields.items())}</table>"
    kinds = schema.get("type", "anything")
    said = kinds if isinstance(kinds, str) else " or ".join(kinds)
    rules = [f"{rule} {escape(str(schema[rule]))}" for rule in _RULES if rule in schema]
    inner = schema.get("items") or schema.get("additionalProperties")
    items = f" of {_shape(inner)}" if isinstance(inner, dict) else ""
    return ", ".join([escape(said) + items, *rules])


def _field(name: str, schema: Document, required: Iterable[str]) -> str:
    mark = "required" if name in required else ""
    about = _words(schema.get("description", ""))
    return _row(f"<code>{escape(name)}</code>", mark, _shape(schema), about)


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _words(text: str) -> str:
    """A text of ours, with what it quotes in backticks as code."""
    return _QUOTED.sub(r"<code>\1</code>", escape(text))
