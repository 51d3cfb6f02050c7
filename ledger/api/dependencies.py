"""What handlers are given: the open ledger, and the way in for records."""

from litestar.di import NamedDependency

from ledger.api.reading import AnyRequest
from ledger.bootstrap import Ledger
from ledger.services.intake.intake import Intake

OpenLedger = NamedDependency[Ledger]


def intake_of(request: AnyRequest) -> Intake:
    """The way in for records. Not injected: with two dependencies the framework opens a task group a call."""
    intake: Intake = request.app.state.intake
    return intake
