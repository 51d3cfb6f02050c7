-- What makes the log prove itself: digests, reasons, and the cut that an invoice was drafted at.

-- SHA-256 over the batch as a document, its lane's previous digest included (ledger.core.digests). Null in
-- batches that were committed before there were digests; they stand before all others of their lane.
ALTER TABLE batch ADD COLUMN digest bytea CHECK (length(digest) = 32);

-- From a time to a cut: the last batch of each lane that was recorded by then.
CREATE INDEX batch_by_time ON batch (lane, recorded_at);

-- What came after a cut, without reading what came before.
CREATE INDEX usage_event_batch ON usage_event USING brin (lane, batch) WITH (pages_per_range = 32);

-- The salted digest of the words in `event_text`; null when there are none. It stays when they are erased.
ALTER TABLE usage_event ADD COLUMN text_digest bytea;

-- The salt goes with the words: without it nobody can try out what they were. `redacted` names what was
-- erased; the decision that did so holds the digest of what is left.
ALTER TABLE event_text ADD COLUMN salt bytea;
ALTER TABLE event_text ADD COLUMN redacted text[];
GRANT UPDATE (response_id, metadata, fields, salt, redacted) ON event_text TO ledger_service;

-- Why it was decided, in the words of who did. Null where the ledger itself decides by a rule.
ALTER TABLE ledger_event ADD COLUMN reason text;

-- The epoch that a decision about the configuration began: which of two counts, whatever clocks said.
ALTER TABLE ledger_event ADD COLUMN epoch bigint;

-- An idempotency key is used once for each customer, for ever.
CREATE UNIQUE INDEX adjustment_key ON ledger_event (customer, (body ->> 'idempotency_key'))
WHERE kind = 'request_adjusted';

-- What was erased of a request's words, and the digest of what is left.
CREATE INDEX redaction ON ledger_event (customer, subject) WHERE kind = 'text_redacted';

-- Up to where the log was read when the invoice was drafted; an event belongs to the first invoice after it.
ALTER TABLE invoice ADD COLUMN cut text;
