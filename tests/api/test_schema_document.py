"""The schema as a document: every operation says what it wants, what it answers and how it refuses."""

import json
from typing import Any

import httpx
import pytest

from ledger.api.app import create_app
from ledger.api.problems import PROBLEM_JSON, STATUS_BY_ERROR
from tests.api.endpoints import CALLS
from tests.api.schema_server import unopened
from tests.conftest import ADMIN_KEY

DOCUMENT = create_app(unopened(), ADMIN_KEY).openapi_schema.to_schema()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
OPEN = {"GET /healthz", "GET /readyz"}


def refusals(operation: dict[str, Any]) -> set[int]:
    return {int(status) for status in operation["responses"] if status[0] in "45"}


def references(value: Any) -> set[str]:
    """Every component that a part of the document points to."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set[str]()
        return own.union(*map(references, value.values()))
    return set()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_it_is(name: str) -> None:
    """In a line and in sentences, under a name that code can be made of, with a tag."""
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert operation["operationId"].isidentifier()
    assert operation["operationId"].islower()
    assert operation["tags"]
    for parameter in operation["parameters"]:
        assert parameter["description"]
        assert parameter["schema"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_whose_key_opens_it(name: str) -> None:
    """By scopes, and that it refuses others; or it is open to everybody."""
    operation = OPERATIONS[name]
    if name in OPEN:
        assert operation["security"] == []
        assert not refusals(operation) & {401, 403}
    else:
        assert all(list(each) == ["key"] and each["key"] for each in operation["security"])
        assert refusals(operation) >= {400, 401, 403, 429, 503}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_refusal_is_the_one_problem_document(name: str) -> None:
    """A body may be too large or of a wrong type; something in the path may not be there."""
    operation = OPERATIONS[name]
    for status in refusals(operation):
        content = operation["responses"][str(status)]["content"]
        assert content == {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert ({413, 415} <= refusals(operation)) == ("requestBody" in operation)
    if any(parameter["in"] == "path" for parameter in operation["parameters"]):
        assert 404 in refusals(operation)


def test_every_status_of_an_error_is_documented_somewhere() -> None:
    """None is answered that no operation speaks of."""
    documented = set().union(*map(refusals, OPERATIONS.values()))
    assert documented == set(STATUS_BY_ERROR.values())


def test_scopes_are_those_that_open_it() -> None:
    """What the schema says is what the matrix of calls and scopes has."""
    for call in CALLS:
        path = call.route.replace(":str}", "}")
        stated = [each["key"] for each in OPERATIONS[f"{call.method} {path}"]["security"]]
        assert sorted(stated) == sorted([scope] for scope in call.scopes or ("admin",)), call.path


def test_what_is_pointed_to_is_there_and_what_is_there_is_pointed_to() -> None:
    """No dangling reference, no component that nobody uses."""
    assert references(DOCUMENT) == {f"#/components/schemas/{name}" for name in SCHEMAS}


def test_operation_ids_are_unique() -> None:
    """Each names one operation."""
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


async def test_the_document_is_what_is_served(api: httpx.AsyncClient) -> None:
    """To everybody, without a key."""
    del api.headers["Authorization"]
    assert (await api.get("/schema/openapi.json")).json() == json.loads(json.dumps(DOCUMENT))
