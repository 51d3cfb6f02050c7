-- Two more kinds of decision, in a migration of their own, as in 0008.
ALTER TYPE decision_kind ADD VALUE 'usage_rerated';
ALTER TYPE decision_kind ADD VALUE 'unrated_found';
