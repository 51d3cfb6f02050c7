"""`/schema`: JSON to programs, a page to browsers, and both without a key and without another host."""

from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from ledger.api.schema_page import render_page

BROWSERS = [
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "text/html",
]
PROGRAMS = ["*/*", "application/json", "application/json, */*;q=0.5", "text/plain", ""]
LOADING = ("src", "href", "action", "srcset", "data", "poster", "background", "formaction")


class Page(HTMLParser):
    """What a browser sees: the tags that are open, all addresses, all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.handlers: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self._open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in LOADING]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def stranger(api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client without a key."""
    del api.headers["Authorization"]
    return api


@pytest.mark.parametrize("accept", BROWSERS)
async def test_a_browser_gets_a_page(stranger: httpx.AsyncClient, accept: str) -> None:
    """With every endpoint of the document in it."""
    answer = await stranger.get("/schema", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["vary"]) == (200, "Accept")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    words = Page(answer.text).words
    document = (await stranger.get("/schema/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in words


@pytest.mark.parametrize("accept", PROGRAMS)
async def test_a_program_gets_json(stranger: httpx.AsyncClient, accept: str) -> None:
    """Under both addresses the same."""
    answer = await stranger.get("/schema", headers={"Accept": accept})
    assert answer.headers["content-type"].endswith("json")
    assert answer.headers["vary"] == "Accept"
    always = await stranger.get("/schema/openapi.json", headers={"Accept": BROWSERS[0]})
    assert always.headers["content-type"] == "application/vnd.oai.openapi+json"
    assert always.json() == answer.json()


async def test_the_page_loads_nothing(stranger: httpx.AsyncClient) -> None:
    """No script, no style but its own, and links that stay on this server or in the page."""
    answer = await stranger.get("/schema", headers={"Accept": BROWSERS[0]})
    page = Page(answer.text)
    assert not {"script", "link", "img", "iframe", "form", "object", "base"} & set(page.tags)
    assert page.handlers == []
    assert "url(" not in answer.text
    assert "@import" not in answer.text
    for address in page.addresses:
        assert address == "/schema/openapi.json" or address.removeprefix("#") in page.ids


HOSTILE = "<script>alert('`x`')</script>"


def document(**operation: Any) -> dict[str, Any]:
    """A document with one endpoint."""
    return {
        "info": {"title": HOSTILE, "version": "1"},
        "paths": {"/v1/things/{id}": {"post": {"summary": "Do", "responses": {}} | operation}},
    }


def test_parameters_bodies_and_answers_are_shown_with_their_rules() -> None:
    """In words, for whoever reads; named objects are linked."""
    schema = document(
        tags=["things"],
        summary="Make a `thing`",
        description="At once.\n\nOr never.",
        parameters=[
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
            {
                "name": "limit",
                "in": "query",
                "description": "how many",
                "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 3},
            },
        ],
        requestBody={"content": {"application/json": {"schema": {"$ref": "#/c/schemas/Thing"}}}},
        responses={
            "201": {
                "description": "made",
                "content": {"application/json": {"schema": {"$ref": "#/c/schemas/Thing"}}},
            },
            "204": {"description": "nothing"},
        },
    )
    fields = {
        "kind": {"enum": ["one", None], "description": "which"},
        "parts": {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "null"}]}},
        "free": {},
        "always": {"const": "this"},
        "texts": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    thing = {"properties": fields, "required": ["kind"], "description": "What there is."}
    schema["components"] = {"schemas": {"Thing": thing}}
    words = " ".join(" ".join(Page(render_page(schema)).words).split())
    for shown in (
        "things POST /v1/things/{id} Make a thing . At once. Or never. Parameters",
        "id path, required string limit query integer or null, minimum 1, maximum 9, default 3 how",
        "Body application/json Thing Answers 201 application/json made Thing 204 nothing",
        "objects Thing What there is. kind required one or null which parts array of string or null",
        "free anything always this texts object of string",
    ):
        assert shown in words
    assert "id='object-Thing'" in render_page(schema)


def test_whatever_stands_in_the_document_is_text() -> None:
    """Names and words of it make no tags."""
    schema = document(
        tags=[HOSTILE],
        summary=HOSTILE,
        description=HOSTILE,
        parameters=[
            {
                "name": HOSTILE,
                "in": HOSTILE,
                "description": HOSTILE,
                "schema": {"enum": [HOSTILE], "type": HOSTILE},
            },
            {"name": "x", "in": "query", "schema": {"type": HOSTILE, "pattern": HOSTILE}},
        ],
        responses={
            "200": {
                "description": HOSTILE,
                "content": {HOSTILE: {"schema": {"properties": {HOSTILE: {"$ref": HOSTILE}}}}},
            }
        },
    )
    schema["paths"][HOSTILE] = {"get": {"responses": {}}}
    schema["components"] = {"schemas": {"'><b id='": {"description": HOSTILE}}}
    page = Page(render_page(schema))
    assert not {"script", "b id"} & set(page.tags)
    assert page.ids == ["object-'><b id='"]
    assert "".join(page.words).count("alert('") > 10
