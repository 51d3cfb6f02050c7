"""The judge: the memory of what was answered against all that the ledger says. It asks nobody."""

from collections.abc import Sequence

from tests.soak_kills.evidence import Evidence
from tests.soak_kills.judging_money import judge_alerts, judge_invoices, judge_spend
from tests.soak_kills.judging_requests import judge_requests
from tests.soak_kills.judging_rest import judge_decisions, judge_exports, judge_proofs
from tests.soak_kills.memory import Memory


def judge(memory: Memory, evidence: Evidence) -> Sequence[str]:
    """Every disagreement in words; none if the ledger holds all that it acknowledged and nothing else."""
    requests = judge_requests(memory, evidence.usage)
    return [
        *memory.findings,
        *requests.findings,
        *judge_spend(requests.rows, evidence),
        *judge_invoices(memory, requests.rows, evidence),
        *judge_alerts(memory, requests.rows, evidence),
        *judge_exports(memory, evidence),
        *judge_decisions(memory, evidence),
        *judge_proofs(evidence),
    ]
