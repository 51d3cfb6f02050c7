-- name: roomy
-- Sorting the log in the order of its batches takes room; this much stays in memory.
SET LOCAL work_mem = '64MB';

-- name: batches
-- The batches of a stretch of the log: after one cut and up to another, for the lanes that are named.
SELECT b.lane, b.batch, b.recorded_at, b.digest
FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
JOIN batch b ON b.lane = stretch.lane AND b.batch > stretch.after AND b.batch <= stretch.upto
ORDER BY b.lane, b.batch;

-- name: events
-- The events of the same stretch as the writer gave them to the table, in the order in which they are digested.
SELECT e.request_id, e.occurred_at, e.uncached_input_tokens, e.cached_input_tokens, e.output_tokens,
    e.input_pico, e.cached_input_pico, e.output_pico, e.other_pico, e.fee_pico, e.batch, e.lane, e.customer,
    e.dimension, e.stated, e.kind::text, e.revision, e.requests, e.unrated, e.opaque_id, e.other_units,
    e.reported_cost, e.text_digest
FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
JOIN usage_event e ON e.lane = stretch.lane AND e.batch > stretch.after AND e.batch <= stretch.upto
ORDER BY e.lane, e.batch, e.request_id, e.customer, e.revision;

-- name: decisions
-- The decisions of the same stretch.
SELECT d.lane, d.batch, d.customer, d.ordinal, d.kind::text, d.subject, d.actor, d.reason, d.epoch, d.body
FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
JOIN ledger_event d ON d.lane = stretch.lane AND d.batch > stretch.after AND d.batch <= stretch.upto
ORDER BY d.lane, d.batch, d.ordinal;

-- name: digests_at
-- The digests of single batches: the ends of a stretch, or heads that somebody kept.
SELECT b.lane, b.batch, b.recorded_at, b.digest
FROM unnest($1::integer[], $2::bigint[]) AS named (lane, batch) JOIN batch b USING (lane, batch)
ORDER BY b.lane;

-- name: texts
-- The words of events with the digests that they may have: the one that the event keeps; after an erasure
-- the one that a decision holds which erased just that much.
SELECT t.customer, t.request_id, e.opaque_id, t.revision, e.lane, e.batch, t.salt, t.response_id, t.metadata,
    t.fields,
    CASE WHEN t.redacted IS NULL THEN ARRAY[e.text_digest] ELSE ARRAY(
        SELECT decode(d.body -> 'digests' ->> t.revision::text, 'hex') FROM ledger_event d
        WHERE d.kind = 'text_redacted' AND d.customer = t.customer
            AND d.subject = request_id_text(t.request_id, e.opaque_id)
            AND d.body -> 'erased' = to_jsonb(t.redacted)) END AS digests
FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
JOIN usage_event e ON e.lane = stretch.lane AND e.batch > stretch.after AND e.batch <= stretch.upto
JOIN event_text t USING (request_id, customer, revision);

-- name: texts_missing
-- Words that an event keeps a digest of and that are not there, and words without an event.
SELECT count(*) OVER () AS found, json_build_object(
    'customer_id', c.customer_id, 'request_id', request_id_text(request_id, opaque_id), 'revision', revision,
    'lane', lane, 'batch', batch, 'fault', fault) AS offender
FROM (
    SELECT e.request_id, e.opaque_id, e.customer, e.revision, e.lane, e.batch, 'its words are gone' AS fault
    FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS stretch (lane, after, upto)
    JOIN usage_event e ON e.lane = stretch.lane AND e.batch > stretch.after AND e.batch <= stretch.upto
    WHERE e.text_digest IS NOT NULL AND NOT EXISTS (
        SELECT FROM event_text t
        WHERE t.request_id = e.request_id AND t.customer = e.customer AND t.revision = e.revision)
    UNION ALL
    SELECT t.request_id, NULL, t.customer, t.revision, NULL, NULL, 'words of no event'
    FROM event_text t
    WHERE NOT EXISTS (
        SELECT FROM usage_event e
        WHERE e.request_id = t.request_id AND e.customer = t.customer AND e.revision = t.revision
            -- Words from before digests have a salt once some of them are erased.
            AND (e.text_digest IS NOT NULL OR t.salt IS NULL OR t.redacted IS NOT NULL))
) AS missing
LEFT JOIN customer c USING (customer)
ORDER BY lane, batch, request_id
LIMIT 10;

-- name: rate_tables
SELECT rate_version, file, content, currency, fingerprint FROM rate_table ORDER BY rate_version;

-- name: prices
-- What each dimension is priced by.
SELECT d.dimension, d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch, d.rate_version,
    d.meter_version, d.region, d.accelerator, d.billed_as,
    m.slug AS meter_slug, m.version AS meter_number, m.kind AS meter_kind, m.percentage, m.terms
FROM dimension d LEFT JOIN meter_version m USING (meter_version);
