-- Three more kinds of decision, in a migration of their own, as in 0008.
ALTER TYPE decision_kind ADD VALUE 'key_created';
ALTER TYPE decision_kind ADD VALUE 'key_revoked';
ALTER TYPE decision_kind ADD VALUE 'quarantine_dismissed';
