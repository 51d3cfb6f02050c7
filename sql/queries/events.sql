-- name: first_rows
-- What the first completed rows under some keys say, to tell by it that a resend says the same.
SELECT request_id, customer, occurred_at, uncached_input_tokens, cached_input_tokens, output_tokens, stated,
    dimension, opaque_id, other_units
FROM usage_event
WHERE request_id = ANY($1::uuid[]) AND revision = 1;

-- name: recorded
-- What stands under some keys: first sightings and completed statements, with all that is compared.
SELECT e.request_id, e.customer, e.revision, e.opaque_id, e.occurred_at, e.stated,
    e.uncached_input_tokens, e.cached_input_tokens, e.output_tokens, e.other_units,
    d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch, d.region, d.accelerator,
    m.slug AS meter_slug
FROM usage_event e
JOIN dimension d USING (dimension)
LEFT JOIN meter_version m USING (meter_version)
WHERE e.request_id = ANY($1::uuid[]) AND e.revision <= 1;

-- name: recorded_metadata
-- What is erased cannot be compared any more.
SELECT request_id, customer, metadata,
    EXISTS (SELECT FROM unnest(redacted) AS name WHERE split_part(name, '.', 1) = 'metadata') AS is_erased
FROM event_text
WHERE request_id = ANY($1::uuid[]) AND revision = 1 AND (metadata IS NOT NULL OR redacted IS NOT NULL);

-- name: sighted
-- Keys that were seen before they completed.
SELECT request_id, customer FROM usage_event WHERE request_id = ANY($1::uuid[]) AND revision = 0;

-- name: standing
-- The last revision of one request, whole, with what its dimension says.
SELECT e.request_id, e.occurred_at, e.uncached_input_tokens, e.cached_input_tokens, e.output_tokens,
    e.input_pico, e.cached_input_pico, e.output_pico, e.other_pico, e.fee_pico, e.batch, e.lane, e.customer,
    e.dimension, e.stated, e.kind::text, e.revision, e.requests, e.unrated, e.opaque_id, e.other_units,
    e.reported_cost, e.text_digest,
    d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch, d.rate_version, d.meter_version,
    d.region, d.accelerator, d.billed_as,
    m.slug AS meter_slug, m.version AS meter_number, m.kind AS meter_kind, m.percentage, m.terms
FROM usage_event e
JOIN dimension d USING (dimension)
LEFT JOIN meter_version m USING (meter_version)
WHERE e.request_id = $1 AND e.customer = $2
ORDER BY e.revision DESC
LIMIT 1;

-- name: customers_with
-- Who has recorded a request under a key; several may.
SELECT DISTINCT customer FROM usage_event
WHERE request_id = $1 AND opaque_id IS NOT DISTINCT FROM $2;

-- name: adjustment
-- What an idempotency key was used for.
SELECT reason, body FROM ledger_event
WHERE kind = 'request_adjusted' AND customer = $1 AND body ->> 'idempotency_key' = $2;

-- name: lock_request
-- One adjustment of a request at a time, until the transaction ends. Events cannot be locked by who may not
-- change them.
SELECT pg_advisory_xact_lock(6, hashtext($1::uuid::text));
