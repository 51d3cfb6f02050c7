-- Refused records. Whoever changes what is kept locks the sender's row first: it holds the counters.

-- name: lock_sender
-- The row is there from the first refusal on.
INSERT INTO quarantine_sender AS s (customer, sender, kept, kept_bytes, not_kept) VALUES ($1, $2, 0, 0, 0)
ON CONFLICT (customer, sender) DO UPDATE SET kept = s.kept
RETURNING kept, kept_bytes;

-- name: lock_senders
-- Several, in one order.
SELECT FROM quarantine_sender JOIN unnest($1::integer[], $2::text[]) AS wanted (customer, sender)
    USING (customer, sender)
ORDER BY customer, sender
FOR UPDATE OF quarantine_sender;

-- name: sight
-- What is refused again is counted.
UPDATE quarantine SET sightings = sightings + 1, last_seen_at = greatest(last_seen_at, $3)
WHERE customer = $1 AND quarantine_id = ANY($2::text[])
RETURNING quarantine_id;

-- name: keep
INSERT INTO quarantine (customer, sender, quarantine_id, digest, outcome, code, field, detail, faults,
    request_id, customer_id, record, record_bytes, is_whole, sightings, first_seen_at, last_seen_at)
SELECT $1, $2, quarantine_id, digest, outcome, code, field, detail, faults, request_id, customer_id, record,
    record_bytes, is_whole, 1, $3, $3
FROM unnest($4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::text[],
        $12::text[], $13::bytea[], $14::integer[], $15::boolean[])
    AS refused (quarantine_id, digest, outcome, code, field, detail, faults, request_id, customer_id, record,
        record_bytes, is_whole);

-- name: count
UPDATE quarantine_sender SET kept = kept + $3, kept_bytes = kept_bytes + $4, not_kept = not_kept + $5
WHERE customer = $1 AND sender = $2;

-- name: page
-- Last seen first; with a null instant from the beginning.
SELECT q.customer, q.quarantine_id, q.sender, c.customer_id AS bound_to, q.customer_id, q.request_id, q.outcome,
    q.code, q.field, q.detail, q.sightings, q.first_seen_at, q.last_seen_at, q.record_bytes, q.is_whole
FROM quarantine q LEFT JOIN customer c ON c.customer = q.customer AND c.customer <> 0
WHERE ($1::integer IS NULL OR q.customer = $1) AND ($2::text IS NULL OR q.sender = $2)
    AND ($3::text IS NULL OR q.code = $3) AND ($4::text IS NULL OR q.outcome = $4)
    AND ($5::text IS NULL OR q.request_id = $5) AND ($6::text IS NULL OR q.customer_id = $6)
    AND ($7::timestamptz IS NULL OR (q.last_seen_at, q.quarantine_id, q.customer) < ($7, $8, $9))
ORDER BY q.last_seen_at DESC, q.quarantine_id DESC, q.customer DESC
LIMIT $10;

-- name: not_kept
-- How many were not kept for want of room.
SELECT coalesce(sum(not_kept), 0)::bigint FROM quarantine_sender
WHERE ($1::integer IS NULL OR customer = $1) AND ($2::text IS NULL OR sender = $2);

-- name: keys
-- All that a replay is about, in the order in which it came.
SELECT customer, quarantine_id FROM quarantine
WHERE ($1::integer IS NULL OR customer = $1) AND ($2::text IS NULL OR sender = $2)
    AND ($3::text IS NULL OR code = $3) AND ($4::text IS NULL OR outcome = $4)
    AND ($5::text IS NULL OR request_id = $5) AND ($6::text IS NULL OR customer_id = $6)
    AND ($7::text[] IS NULL OR quarantine_id = ANY($7))
ORDER BY first_seen_at, quarantine_id, customer;

-- name: records
-- Some of them whole, in the order in which they came.
SELECT q.customer, q.quarantine_id, q.sender, c.customer_id AS bound_to, q.customer_id, q.request_id, q.outcome,
    q.code, q.field, q.detail, q.sightings, q.first_seen_at, q.last_seen_at, q.record_bytes, q.is_whole,
    q.digest, q.faults, q.record
FROM unnest($1::integer[], $2::text[]) AS wanted (customer, quarantine_id)
JOIN quarantine q USING (customer, quarantine_id)
LEFT JOIN customer c ON c.customer = q.customer AND c.customer <> 0
ORDER BY q.first_seen_at, q.quarantine_id, q.customer;

-- name: remove
-- Takes records out, and off the counters of their senders, whose rows are locked.
WITH gone AS (
    DELETE FROM quarantine q USING unnest($1::integer[], $2::text[]) AS wanted (customer, quarantine_id)
    WHERE q.customer = wanted.customer AND q.quarantine_id = wanted.quarantine_id
    RETURNING q.*
), counted AS (
    UPDATE quarantine_sender s SET kept = s.kept - gone.records, kept_bytes = s.kept_bytes - gone.bytes
    FROM (
        SELECT customer, sender, count(*) AS records, sum(length(record)) AS bytes FROM gone
        GROUP BY customer, sender
    ) AS gone
    WHERE s.customer = gone.customer AND s.sender = gone.sender
)
SELECT customer, quarantine_id, sender, outcome, code, request_id, customer_id, digest, sightings FROM gone
ORDER BY customer, quarantine_id;

-- name: restate
-- Another reason, and with it another id, unless that is there already.
UPDATE quarantine q SET quarantine_id = $3, outcome = $4, code = $5, field = $6, detail = $7, faults = $8
WHERE customer = $1 AND quarantine_id = $2
    AND ($2 = $3 OR NOT EXISTS (SELECT FROM quarantine WHERE customer = $1 AND quarantine_id = $3))
RETURNING quarantine_id;

-- name: merge
-- Where it is there already, its sightings are added to those.
UPDATE quarantine q SET sightings = q.sightings + other.sightings,
    first_seen_at = least(q.first_seen_at, other.first_seen_at),
    last_seen_at = greatest(q.last_seen_at, other.last_seen_at)
FROM quarantine other
WHERE other.customer = $1 AND other.quarantine_id = $2 AND q.customer = $1 AND q.quarantine_id = $3;
