"""Price lists over HTTP: models and rate tables."""

import httpx

LLAMA = "accounts/fireworks/models/llama-v3p3-70b-instruct"


async def test_models_as_lava_lists_them(api: httpx.AsyncClient) -> None:
    """Of every provider, those of the table in force now."""
    body = (await api.get("/v1/models")).json()

    assert body["object"] == "list"
    listed = {each["id"]: each for each in body["data"]}
    assert listed[LLAMA]["owned_by"] == "fireworks"
    assert listed[LLAMA]["object"] == "model"
    assert {each["owned_by"] for each in body["data"]} >= {"openai", "anthropic", "google"}


async def test_tables_in_force_at_a_time(api: httpx.AsyncClient) -> None:
    """`at` leaves one version of a provider; before the first there is none."""

    async def versions(**asked: str) -> list[str]:
        answer = await api.get("/v1/rates", params={"provider": "fireworks"} | asked)
        return [table["version"] for table in answer.json()["data"]]

    assert await versions(at="2026-05-11T23:59:59Z") == ["2025-01-01"]
    assert await versions(at="2026-05-12T00:00:00Z") == ["2026-05-12"]
    assert await versions(version="2025-01-01") == ["2025-01-01"]
    assert await versions(at="2020-01-01T00:00:00Z") == []
    assert (await api.get("/v1/rates", params={"at": "yesterday"})).status_code == 400
