-- name: revisions
-- Every revision of a request with what its amounts follow from: prices by version, meter, and who decided.
-- An adjustment is matched by the revision that it says it made; one batch may hold several. What was rated
-- again follows from the one decision that its batch has for the customer.
SELECT e.customer, e.revision, e.opaque_id, c.customer_id, e.kind::text, e.occurred_at, b.recorded_at,
    e.lane, e.batch, encode(b.digest, 'hex') AS digest, e.requests, e.unrated, e.uncached_input_tokens,
    e.cached_input_tokens, e.output_tokens, e.other_units, e.input_pico, e.cached_input_pico, e.output_pico,
    e.other_pico, e.fee_pico, d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch,
    d.rate_version, d.meter_version, d.region, d.accelerator, d.billed_as, m.slug AS meter_slug,
    m.version AS meter_number, m.kind AS meter_kind, m.percentage, m.terms,
    decided.actor, decided.reason, decided.idempotency_key, decided.job
FROM usage_event e
JOIN customer c USING (customer)
JOIN batch b USING (lane, batch)
JOIN dimension d USING (dimension)
LEFT JOIN meter_version m USING (meter_version)
LEFT JOIN LATERAL (
    SELECT x.actor, x.reason, x.body ->> 'idempotency_key' AS idempotency_key, x.body ->> 'job' AS job
    FROM ledger_event x
    WHERE x.customer = e.customer AND x.lane = e.lane AND x.batch = e.batch
        AND (x.kind = 'request_adjusted' AND x.subject = $2 AND x.body -> 'revisions' @> to_jsonb(e.revision)
            OR x.kind = 'usage_rerated')
    LIMIT 1
) AS decided ON e.revision >= 2
WHERE e.request_id = $1 AND ($3::integer IS NULL OR e.customer = $3)
ORDER BY e.customer, e.revision;

-- name: tables
-- Rate tables by their numbers, and when each was published; its decision says that.
SELECT t.rate_version, t.provider, t.version, t.effective_from, t.currency, t.source, t.fingerprint, t.file,
    (SELECT min(b.recorded_at)
        FROM ledger_event p JOIN batch b USING (lane, batch)
        WHERE p.customer = 0 AND p.kind = 'rate_table_published'
            AND p.subject = t.provider || '/' || t.version) AS published_at
FROM rate_table t
WHERE t.rate_version = ANY($1::integer[]);

-- name: issued
-- The invoices of a customer in the order of issue: a longer number is a later one.
SELECT number, period_start, cut, issued_at
FROM invoice WHERE customer = $1 ORDER BY length(number), number;

-- name: line
-- The line of an invoice that usage of one kind is on, if there is one.
SELECT line FROM invoice_line
WHERE customer = $1 AND number = $2 AND period_start = $3 AND provider IS NOT DISTINCT FROM $4
    AND model IS NOT DISTINCT FROM $5 AND key_type = $6::key_type;

-- name: days
-- What a line billed, summed up by day from the log: the rows of its kind and month that lie behind the
-- previous cut and within its own, lane by lane. At most 31 rows, however many records there are.
SELECT (e.occurred_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS records,
    sum(e.requests)::text AS requests,
    sum(e.uncached_input_tokens + e.cached_input_tokens
        + CASE WHEN e.other_units IS NULL THEN 0 ELSE input_parts(e.other_units) END)::text AS input_tokens,
    sum(e.cached_input_tokens)::text AS cached_input_tokens,
    sum(e.output_tokens
        + CASE WHEN e.other_units IS NULL THEN 0 ELSE output_parts(e.other_units) END)::text AS output_tokens,
    coalesce(sum(e.input_pico::numeric + e.cached_input_pico + e.output_pico + e.other_pico), 0)::text
        AS cost_pico,
    coalesce(sum(e.fee_pico), 0)::text AS fee_pico
FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS part (lane, after_batch, last_batch)
JOIN usage_event e
    ON e.lane = part.lane AND e.batch > part.after_batch AND e.batch <= part.last_batch
WHERE e.customer = $4 AND e.revision >= 1 AND e.occurred_at >= $5 AND e.occurred_at < $6
    AND e.dimension = ANY(ARRAY(
        SELECT dimension FROM dimension
        WHERE provider IS NOT DISTINCT FROM $7 AND model IS NOT DISTINCT FROM $8
            AND key_type = $9::key_type))
GROUP BY day
ORDER BY day;

-- name: records
-- The first of the same rows, by time and then by key.
SELECT e.request_id, e.opaque_id, e.revision, e.kind::text, e.occurred_at, e.requests,
    e.uncached_input_tokens, e.cached_input_tokens, e.output_tokens, e.other_units, e.input_pico,
    e.cached_input_pico, e.output_pico, e.other_pico, e.fee_pico
FROM unnest($1::integer[], $2::bigint[], $3::bigint[]) AS part (lane, after_batch, last_batch)
JOIN usage_event e
    ON e.lane = part.lane AND e.batch > part.after_batch AND e.batch <= part.last_batch
WHERE e.customer = $4 AND e.revision >= 1 AND e.occurred_at >= $5 AND e.occurred_at < $6
    AND e.dimension = ANY(ARRAY(
        SELECT dimension FROM dimension
        WHERE provider IS NOT DISTINCT FROM $7 AND model IS NOT DISTINCT FROM $8
            AND key_type = $9::key_type))
ORDER BY e.occurred_at, e.request_id, e.revision
LIMIT $10;
