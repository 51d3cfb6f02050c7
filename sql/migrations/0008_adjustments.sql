-- Two more kinds of decision, in a migration of their own: a new word of an enum can only be used by later
-- transactions.
ALTER TYPE decision_kind ADD VALUE 'request_adjusted';
ALTER TYPE decision_kind ADD VALUE 'text_redacted';
