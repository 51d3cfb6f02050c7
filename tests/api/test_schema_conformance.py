"""The schema is the truth: what it allows is taken, what it forbids refused, and answers are as it says."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.errors import Flaky
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.schemas import BaseSchema

from ledger.api.app import create_app
from tests.api.schema_rules import teach
from tests.api.schema_server import served, unopened
from tests.conftest import ADMIN_KEY, execute, template_name
from tests.servers import with_database

AnyCase = schemathesis.Case[Any]
EXAMPLES = int(os.environ.get("LEDGER_SCHEMA_EXAMPLES", "2"))
AT_LENGTH = 100
STEPS = 10
OPEN_BODIES = {"RequestRecord", "ModelUsage"}
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 1,
        "auth": {"openapi": {"key": {"bearer": ADMIN_KEY}}},
        "generation": {"deterministic": True, "max-examples": EXAMPLES},
        # The edges of each of fifty fields, in three forms, take half a minute: in a record alone they are
        # always tried, in batches and in adjustments by scripts/fuzz-schema.
        "operations": [
            {
                "include-operation-id": ["record_batch", "adjust_request"],
                "phases": {"coverage": {"enabled": EXAMPLES >= AT_LENGTH}},
            }
        ],
        "checks": {
            # 413 refuses what is too large, and 422 what is understood and cannot be decided so.
            "negative_data_rejection": {"expected-statuses": ["4xx"]},
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "401", "403", "404", "409", "422", "429"]
            },
        },
    }
)
DOCUMENT = create_app(unopened(), ADMIN_KEY).openapi_schema.to_schema()
for name, shape in DOCUMENT["components"]["schemas"].items():
    # Clients must bear new fields in answers. Here a field that the schema does not know is a defect of it.
    if name not in OPEN_BODIES:
        shape.setdefault("additionalProperties", False)
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
# What is recorded stays, so a sequence cannot be repeated: none is shrunk, and few are drawn from one seed.
SEQUENCES = settings(
    BOUNDED,
    max_examples=5,
    stateful_step_count=STEPS,
    derandomize=False,
    database=None,
    phases=[Phase.generate],
)


@pytest.fixture(scope="module")
def address(server_url: str) -> Iterator[str]:
    """The application on a database that all these tests share."""
    name = f"ledger_schema_{os.getpid()}"
    asyncio.run(execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template_name()}"))
    with served(with_database(server_url, name)) as url:
        yield url
    asyncio.run(execute(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


def schema_of(paths: dict[str, Any]) -> BaseSchema:
    """The schema as far as it is about some paths, with what has to be known beside it."""
    schema = schemathesis.openapi.from_dict(DOCUMENT | {"paths": paths}, config=CONFIG)
    teach(schema)
    return schema


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_operation_keeps_to_the_schema(path: str, address: str) -> None:
    """With examples, at the edges and at random.

    Cases are thought of here and not while tests are collected, which every worker does for all of them.
    """
    operations = DOCUMENT["paths"][path]

    def keeps_to_it(case: AnyCase) -> None:
        case.call_and_validate(base_url=address)

    load_all_checks()
    tests = list(
        get_all_tests(
            schema=schema_of({path: operations}),
            test_func=keeps_to_it,
            settings=BOUNDED,
            given_kwargs=None,
        )
    )
    assert len(tests) == len(operations)
    for each in tests:
        assert isinstance(each, Ok), each
        _, test = each.ok()
        test()


def test_sequences_of_operations_keep_to_the_schema(address: str) -> None:
    """What one answers is put into the next."""
    found: list[FailureGroup] = []

    class Walk(schema_of(DOCUMENT["paths"]).as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: AnyCase) -> dict[str, Any]:  # noqa: ARG002
            return {"base_url": address}

        def validate_response(self, response: Response, case: AnyCase, **others: Any) -> None:
            try:
                super().validate_response(response, case, **others)
            except FailureGroup as failures:
                found.append(failures)
                raise

    for number in range(EXAMPLES):
        with suppress(Flaky):  # other data followed than before; what failed is in `found`
            seed(number)(Walk).run(settings=SEQUENCES)
    assert found == []
