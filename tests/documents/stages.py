"""What the reader of a page has done before its first command.

Most pages speak of acme and the worked record, some of the bundled records; a page without a stage begins
with an empty ledger.
"""

import json
from collections.abc import Callable

from tests.documents.desk import Desk
from tests.documents.pages import ROOT, blocks

MODELS = "accounts/fireworks/models/"
WORKED = {
    "request_id": "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ",
    "customer_id": "acme",
    "model": f"{MODELS}llama-v3p3-70b-instruct",
    "input_tokens": 845,
    "output_tokens": 412,
}
BYOK = {"provider_key_type": "byok"}
BETAS = "req_01K8C2M6R4QZV5D7W3M0E9H8TB"
RATES = """\
provider: fireworks
version: "{version}"
effective_from: 2026-09-01T00:00:00Z
currency: USD
source: for an example
models:
  accounts/fireworks/models/llama-v3p3-70b-instruct: {{input: "{llama}", output: "{llama}"}}
  accounts/fireworks/models/mystery: {{input: "1.00", output: "2.00"}}
"""


def set_stage(page: str, desk: Desk) -> None:
    """Bring a fresh ledger to where a page begins."""
    if page in STAGES:
        STAGES[page](desk)


def _worked_record(desk: Desk) -> None:
    desk.ledger("meters set standard --percentage 10")
    desk.ledger("customers set acme --meter standard")
    _take(desk, WORKED)


def _sample(desk: Desk) -> None:
    desk.ledger("meters set standard --percentage 10")
    for customer in ("acme", "stark"):
        desk.ledger(f"customers set {customer} --meter standard")
    desk.ingest_sample()


def _spend(desk: Desk) -> None:
    _sample(desk)
    empty = json.loads(desk.ledger("spend --from 2026-01-01 --to 2026-01-02 --json"))
    desk.words["2026-11-20T12:00:00Z~1-1.2-4"] = empty["as_of"]


def _october(desk: Desk) -> None:
    """A month of acme's: two models under our keys, one under its own, a sum that does not divide."""
    desk.ledger("meters set standard --percentage 10")
    desk.ledger("customers set acme --meter standard")
    _take(
        desk,
        _call("c-1", "deepseek-v4-pro", "2026-10-05T09:30:00Z", 1_200_345, 80_211),
        _call("c-2", "deepseek-v4-pro", "2026-10-19T16:00:00Z", 845_120, 41_008),
        _call("c-3", "gpt-oss-120b", "2026-10-20T08:15:00Z", 930_077, 60_123),
        _call("c-4", "glm-5p1", "2026-10-21T11:45:00Z", 310_500, 22_940) | BYOK,
    )
    desk.write(
        "late.ndjson",
        json.dumps(_call("c-5", "gpt-oss-120b", "2026-10-31T23:59:59Z", 500_000, 10_000)),
    )


def _tables(desk: Desk) -> None:
    """The page's own table lies in the folder."""
    desk.write("my-rates.yaml", _block("docs/rate-tables.md", "provider: fireworks"))


def _meters(desk: Desk) -> None:
    desk.write("meters.yaml", _block("docs/meters.md", "currency: USD"))


def _keys(desk: Desk) -> None:
    _worked_record(desk)
    key = json.loads(desk.ledger("keys create --name left --scope ingest --json"))
    desk.words["lk_7h3kq9xw2m"] = key["key_id"]


def _limits(desk: Desk) -> None:
    """Acme is known, and its records of the day lie in the folder."""
    _worked_record(desk)
    calls = [
        _call("l-1", "deepseek-v4-pro", "2026-11-20T09:00:00Z", 30_000_000, 2_000_000),
        _call("l-2", "deepseek-v4-pro", "2026-11-20T10:00:00Z", 10_000_000, 900_000),
    ]
    for name, call in zip(("morning", "noon"), calls, strict=True):
        desk.write(f"{name}.ndjson", json.dumps(call))


def _jobs(desk: Desk) -> None:
    _worked_record(desk)
    desk.settings["LEDGER_EXPORT_DIR"] = str(desk.folder / "days")


def _quarantine(desk: Desk) -> None:
    _worked_record(desk)
    desk.write("beta.ndjson", json.dumps(WORKED | {"customer_id": "beta", "request_id": BETAS}))
    desk.settings["LEDGER_AUTO_CREATE_CUSTOMERS"] = "false"
    desk.ledger("ingest beta.ndjson", code=1)
    desk.write("later.ndjson", json.dumps(WORKED | {"output_tokens": 413}))
    desk.ledger("ingest later.ndjson", code=1)


def _unrated(desk: Desk) -> None:
    """Two requests of a model without a price, three of one at a wrong price, and tables that mend it."""
    unpriced = [
        _call(f"m-{n}", "mystery", "2026-10-05T12:00:00Z", 1_000_000, 500_000) for n in (1, 2)
    ]
    wrong = [
        _call(f"w-{n}", "llama-v3p3-70b-instruct", "2026-10-06T12:00:00Z", 1_000_000, 0)
        for n in (1, 2, 3)
    ]
    of_beta = {"customer_id": "beta", "provider": "fireworks"}
    _take(desk, *(call | of_beta for call in unpriced), *wrong)
    for version, llama in (("2026-09-01", "0.90"), ("dearer", "1.80")):
        desk.write(f"{version}.yaml", RATES.format(version=version, llama=llama))


def _proof(desk: Desk) -> None:
    _take(desk, WORKED | {"metadata": {"email": "a@example.com"}})
    spend = json.loads(desk.ledger("spend --from 2026-10-01 --to 2026-11-01 --json"))
    desk.words["2026-11-20T03:00:00Z~1-5023.2-17"] = spend["as_of"]
    desk.words["--as-of 2026-11-02"] = "--as-of 2026-11-20T12:00:00Z"
    desk.write("heads.json", desk.ledger("seal show --json"))


def _call(name: str, model: str, at: str, tokens_in: int, tokens_out: int) -> dict[str, object]:
    return {
        "request_id": name,
        "customer_id": "acme",
        "model": MODELS + model,
        "timestamp": at,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
    }


def _take(desk: Desk, *records: dict[str, object]) -> None:
    desk.write("records.ndjson", "\n".join(map(json.dumps, records)))
    desk.ledger("ingest records.ndjson")


def _block(page: str, start: str) -> str:
    """The block of a page that begins so."""
    text = (ROOT / page).read_text()
    return next(block.text for block in blocks(text) if block.text.startswith(start))


STAGES: dict[str, Callable[[Desk], None]] = {
    "docs/corrections.md": _worked_record,
    "docs/exports.md": _sample,
    "docs/invoices.md": _october,
    "docs/jobs.md": _jobs,
    "docs/keys.md": _keys,
    "docs/limits-and-alerts.md": _limits,
    "docs/meters.md": _meters,
    "docs/operation.md": _worked_record,
    "docs/quarantine.md": _quarantine,
    "docs/rate-tables.md": _tables,
    "docs/re-rating.md": _unrated,
    "docs/rebuild.md": _worked_record,
    "docs/spend.md": _spend,
    "docs/verify-and-seals.md": _proof,
}
