"""The soak of kills, for some seconds: two servers and PostgreSQL killed under traffic, and the judgement.

`scripts/soak-kills` plays the same for as long as one likes.
"""

from dataclasses import replace

import pytest

from tests.soak_kills.judging import judge
from tests.soak_kills.soaking import Plan, soak

PLAN = Plan(seconds=4, seed=7, kills_at_least=3, senders=4, office_pause_s=0.1)


@pytest.mark.long
async def test_killed_servers_hold_all_that_they_acknowledged() -> None:
    """Each record once, every sum exact, every decision there; and a judge who would have noticed."""
    soaked = await soak(PLAN)
    figures, evidence = soaked.figures.document(), soaked.evidence

    assert list(soaked.findings) == []
    assert figures["kills"] >= PLAN.kills_at_least
    assert figures["records_by_answer"]["taken"] > 0
    assert soaked.memory.requests

    row = next(each for each in evidence.usage if each["revision"] == "1" and each["cost"])
    others = [each for each in evidence.usage if each is not row]
    for usage in (
        [*others, {**row, "cost": row["cost"] + "1"}],
        [*others, row, row],
        [each for each in others if each["request_id"] != row["request_id"]],
    ):
        assert judge(soaked.memory, replace(evidence, usage=usage))
