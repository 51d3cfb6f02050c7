-- name: add
-- The rows come sorted by key: two writers that move the same sums lock them in the same order. Columns come as
-- the text of arrays, which costs the sender a tenth of the values one by one.
INSERT INTO rollup_hour AS r
SELECT * FROM unnest(
    $1::text::integer[], $2::text::timestamptz[], $3::text::integer[], $4::text::bigint[],
    $5::text::bigint[], $6::text::numeric[], $7::text::numeric[], $8::text::numeric[],
    $9::text::numeric[], $10::text::numeric[], $11::text::numeric[], $12::text::numeric[],
    $13::text::numeric[])
ON CONFLICT (customer, hour_at, dimension) DO UPDATE SET
    requests = r.requests + excluded.requests,
    unrated = r.unrated + excluded.unrated,
    uncached_input_tokens = r.uncached_input_tokens + excluded.uncached_input_tokens,
    cached_input_tokens = r.cached_input_tokens + excluded.cached_input_tokens,
    output_tokens = r.output_tokens + excluded.output_tokens,
    input_pico = r.input_pico + excluded.input_pico,
    cached_input_pico = r.cached_input_pico + excluded.cached_input_pico,
    output_pico = r.output_pico + excluded.output_pico,
    other_pico = r.other_pico + excluded.other_pico,
    fee_pico = r.fee_pico + excluded.fee_pico;

-- name: add_units
INSERT INTO rollup_hour_unit AS r
SELECT * FROM unnest(
    $1::text::integer[], $2::text::timestamptz[], $3::text::integer[], $4::text::text[],
    $5::text::numeric[], $6::text::numeric[])
ON CONFLICT (customer, hour_at, dimension, unit) DO UPDATE SET
    quantity = r.quantity + excluded.quantity,
    pico = r.pico + excluded.pico;

-- name: touch
INSERT INTO touched_period (customer, period_start, epoch)
SELECT customer, period_start, $3 FROM unnest($1::integer[], $2::date[]) AS t (customer, period_start)
ON CONFLICT DO NOTHING;
