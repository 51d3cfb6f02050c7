"""What handlers are given: the open ledger, and the way in for records."""

from litestar.di import NamedDependency

from ledger.bootstrap import Ledger
from ledger.services.intake.intake import Intake

OpenLedger = NamedDependency[Ledger]
OpenIntake = NamedDependency[Intake]
