-- name: room_to_sort
-- Millions of rows are sorted in runs of what the server gives to a sort, and merged as often as there are too
-- many runs to merge at once. So many rows in a run that once is enough; the pool takes it back.
SELECT set_config('work_mem', '32MB', false)
WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('32MB');

-- name: usage
-- One row for each revision, unmetered ones too, in the bytewise order of the texts that identify it.
-- What repeats from row to row is made safe for spreadsheets once, before the joins; the text of the id
-- is made once, as the key to sort by. Customers are put in order once, and rows compared by the place.
WITH payer AS MATERIALIZED (
    SELECT customer, csv_text(customer_id) AS cell, row_number() OVER (ORDER BY customer_id) AS place
    FROM customer WHERE $3::text IS NULL OR customer_id = $3
), grouped AS MATERIALIZED (
    SELECT d.dimension, csv_text(d.provider) AS provider, csv_text(d.model) AS model, d.key_type,
        csv_text(d.service_tier) AS service_tier, d.is_batch, csv_text(t.version) AS rate_version,
        csv_text(m.slug) AS meter_slug, csv_text(d.region) AS region, csv_text(d.accelerator) AS accelerator,
        csv_text(d.billed_as) AS billed_as
    FROM dimension d LEFT JOIN rate_table t USING (rate_version)
        LEFT JOIN meter_version m USING (meter_version)
), event AS (
    SELECT *, request_id_text(request_id, opaque_id) COLLATE "C" AS id_text,
        input_pico + cached_input_pico + output_pico + other_pico AS cost_pico
    FROM usage_event WHERE occurred_at >= $1 AND occurred_at < $2
        AND ($3::text IS NULL OR customer = (SELECT customer FROM payer)) -- one at most has that name
    OFFSET 0 -- keeps the planner from making the text of the id anew wherever it is used
)
SELECT
    p.cell AS customer_id,
    csv_text(e.id_text) AS request_id,
    e.revision,
    e.kind,
    instant_text(e.occurred_at) AS "timestamp",
    instant_text(b.recorded_at) AS recorded_at,
    g.provider,
    g.model,
    g.key_type,
    g.service_tier,
    CASE WHEN g.is_batch THEN 'true' ELSE 'false' END AS batch,
    e.requests,
    e.unrated,
    e.uncached_input_tokens + e.cached_input_tokens
        + CASE WHEN e.other_units IS NULL THEN 0 ELSE input_parts(e.other_units) END AS input_tokens,
    e.cached_input_tokens,
    e.output_tokens
        + CASE WHEN e.other_units IS NULL THEN 0 ELSE output_parts(e.other_units) END AS output_tokens,
    trim_scale((e.other_units -> 'input_seconds' ->> 0)::numeric * 0.000001) AS input_seconds,
    trim_scale((e.other_units -> 'output_seconds' ->> 0)::numeric * 0.000001) AS output_seconds,
    e.other_units -> 'input_characters' ->> 0 AS input_characters,
    e.other_units -> 'output_characters' ->> 0 AS output_characters,
    e.other_units -> 'images' ->> 0 AS images,
    trim_scale((e.other_units -> 'gpu_seconds' ->> 0)::numeric * 0.000001) AS gpu_seconds,
    pico_text(e.cost_pico) AS cost,
    pico_text(e.fee_pico) AS fee,
    pico_text(CASE g.key_type WHEN 'managed' THEN e.cost_pico ELSE 0 END::numeric + e.fee_pico) AS spend,
    $4::text AS currency,
    g.rate_version,
    g.meter_slug,
    csv_text(x.response_id) AS response_id,
    e.reported_cost,
    CASE WHEN x.metadata IS NOT NULL THEN (
        SELECT '{' || string_agg(to_json(key)::text || ':' || value::text, ',') || '}'
        FROM jsonb_each(x.metadata)) END AS metadata,
    g.region,
    g.accelerator,
    g.billed_as,
    e.other_units -> 'cache_write_tokens' ->> 0 AS cache_write_tokens,
    e.other_units -> 'cache_write_1h_tokens' ->> 0 AS cache_write_1h_tokens,
    e.other_units -> 'reasoning_tokens' ->> 0 AS reasoning_tokens,
    e.other_units -> 'audio_input_tokens' ->> 0 AS audio_input_tokens,
    e.other_units -> 'cached_audio_input_tokens' ->> 0 AS cached_audio_input_tokens,
    e.other_units -> 'audio_output_tokens' ->> 0 AS audio_output_tokens,
    e.other_units -> 'image_input_tokens' ->> 0 AS image_input_tokens,
    e.other_units -> 'image_output_tokens' ->> 0 AS image_output_tokens,
    e.other_units -> 'image_steps' ->> 0 AS image_steps,
    e.other_units -> 'web_searches' ->> 0 AS web_searches,
    e.other_units -> 'rerank_searches' ->> 0 AS rerank_searches,
    e.other_units -> 'training_tokens' ->> 0 AS training_tokens,
    e.other_units -> 'billable_requests' ->> 0 AS billable_requests
FROM event e
JOIN payer p USING (customer)
JOIN grouped g USING (dimension)
LEFT JOIN batch b USING (lane, batch)
-- The words of a request stand once, with its first statement, and are those of every later revision.
LEFT JOIN event_text x ON x.request_id = e.request_id AND x.customer = e.customer
    AND x.revision = least(e.revision, 1)
ORDER BY p.place, e.id_text, e.revision;

-- name: usage_sums
-- What the rows of `usage` add up to; amounts that are not known count nothing.
SELECT
    coalesce(sum(e.requests), 0)::text AS requests,
    coalesce(sum(e.uncached_input_tokens + e.cached_input_tokens
        + CASE WHEN e.other_units IS NULL THEN 0 ELSE input_parts(e.other_units) END), 0)::text AS input_tokens,
    coalesce(sum(e.cached_input_tokens), 0)::text AS cached_input_tokens,
    coalesce(sum(e.output_tokens
        + CASE WHEN e.other_units IS NULL THEN 0 ELSE output_parts(e.other_units) END), 0)::text
        AS output_tokens,
    pico_text(coalesce(sum(e.cost_pico), 0)) AS cost,
    pico_text(coalesce(sum(e.fee_pico), 0)) AS fee,
    pico_text(coalesce(sum(e.cost_pico) FILTER (WHERE d.key_type = 'managed'), 0)
        + coalesce(sum(e.fee_pico), 0)) AS spend
FROM (
    SELECT *, input_pico + cached_input_pico + output_pico + other_pico AS cost_pico
    FROM usage_event WHERE occurred_at >= $1 AND occurred_at < $2
) e
JOIN customer c USING (customer)
JOIN dimension d USING (dimension)
WHERE ($3::text IS NULL OR c.customer_id = $3) AND $4::text IS NOT NULL;

-- name: invoices
-- One row for each line of the invoices of a time, in the order of their numbers.
SELECT
    i.number,
    csv_text(c.customer_id) AS customer_id,
    i.status,
    instant_text(i.issued_at) AS issued_at,
    i.period_start AS invoice_period_start,
    i.period_end AS invoice_period_end,
    i.currency,
    l.line,
    csv_text(l.provider) AS provider,
    csv_text(l.model) AS model,
    l.key_type,
    l.period_start,
    l.period_end,
    l.requests,
    l.input_tokens,
    l.cached_input_tokens,
    l.output_tokens,
    pico_text(l.cost_pico) AS cost,
    pico_text(l.fee_pico) AS fee,
    pico_text(l.exact_pico) AS exact,
    l.amount,
    i.total AS invoice_total,
    pico_text(i.rounding_pico) AS rounding,
    csv_text(l.meter_slug) AS meter
FROM invoice i
JOIN invoice_line l USING (customer, number)
JOIN customer c USING (customer)
WHERE i.period_start >= $1::timestamptz AND i.period_start < $2::timestamptz
    AND ($3::text IS NULL OR c.customer_id = $3) AND $4::text IS NOT NULL
ORDER BY length(i.number), i.number, c.customer_id, l.line;

-- name: invoices_sums
-- What the rows of `invoices` add up to.
SELECT
    pico_text(coalesce(sum(l.cost_pico), 0)) AS cost,
    pico_text(coalesce(sum(l.fee_pico), 0)) AS fee,
    pico_text(coalesce(sum(l.exact_pico), 0)) AS exact,
    coalesce(sum(l.amount), 0)::text AS amount
FROM invoice i
JOIN invoice_line l USING (customer, number)
JOIN customer c USING (customer)
WHERE i.period_start >= $1::timestamptz AND i.period_start < $2::timestamptz
    AND ($3::text IS NULL OR c.customer_id = $3) AND $4::text IS NOT NULL;
