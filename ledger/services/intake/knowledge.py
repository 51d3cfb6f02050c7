"""What a writer knows beforehand, and what it makes of that."""

from datetime import date

from ledger.core.configuration import Configuration
from ledger.core.rating import RatedStatement
from ledger.core.regular_events import KnownTerms
from ledger.store.interning import Interned


class Knowledge:
    """Decisions, numbers, terms, and the months that were marked since the epoch began."""

    def __init__(self, configuration: Configuration, interned: Interned) -> None:
        self.interned = interned
        self.renew(configuration)

    def renew(self, configuration: Configuration) -> None:
        """Go on with other decisions. What followed from the last ones is forgotten."""
        self.configuration = configuration
        self.terms = KnownTerms(configuration)
        self.touched: set[tuple[int, date]] = set()

    def learn_terms(self, rated: RatedStatement, customer: int) -> None:
        """Remember what a record was rated by, for the next of its like."""
        self.terms.learn(rated, customer, self.interned.dimensions[rated.dimension])
