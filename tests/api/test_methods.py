"""Which methods a path takes: said to who asks, and to who tried another."""

import httpx
import pytest

TAKEN = {
    "/v1/customers/acme": "GET, PUT",
    "/v1/customers/a/b%2Fc": "GET, PUT",
    "/v1/limits": "GET, POST",
    "/v1/requests": "GET, POST",
    "/v1/requests/batch": "POST",
    "/v1/requests/r1": "GET",
    "/v1/requests/a/b": "GET",
    "/v1/requests/a%2Fadjustments": "GET",
    "/v1/requests/r1/explain": "GET",
    "/v1/requests/batch/explain": "GET",
    "/v1/requests/r1/adjustments": "POST",
    "/v1/spend": "GET",
    "/healthz": "GET",
}


@pytest.mark.parametrize("path", TAKEN)
async def test_options_names_every_method_of_a_path(api: httpx.AsyncClient, path: str) -> None:
    """Whichever handlers they have, and to who has no key: it stands in the schema."""
    del api.headers["Authorization"]
    answer = await api.options(path)
    assert (answer.status_code, answer.headers["allow"]) == (204, f"{TAKEN[path]}, OPTIONS")
    assert answer.content == b""
    assert "x-request-id" in answer.headers


@pytest.mark.parametrize("path", TAKEN)
async def test_another_method_is_refused_and_told_which_there_are(
    api: httpx.AsyncClient, path: str
) -> None:
    """Before anything of the request is judged."""
    answer = await api.patch(f"{path}?unknown=1")
    assert (answer.status_code, answer.headers["allow"]) == (405, TAKEN[path])
    assert answer.json()["error"]["code"] == "method_not_allowed"


async def test_where_there_is_nothing_no_method_is_named(api: httpx.AsyncClient) -> None:
    """As for every other method."""
    assert (await api.options("/v1/nothing")).status_code == 404
