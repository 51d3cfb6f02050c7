-- name: customer_setting_repair
-- Repairing, after the snapshot. What was written since stays.
-- A customer about whom something was decided since the snapshot has the right row by that.
DELETE FROM differing_customer_setting d USING ledger_event e
WHERE e.kind = 'customer_changed' AND e.customer = d.customer
    AND NOT EXISTS (SELECT FROM seen WHERE seen.lane = e.lane AND seen.batch >= e.batch);
DELETE FROM customer_setting USING differing_customer_setting d WHERE customer_setting.customer = d.customer;
INSERT INTO customer_setting
SELECT r.* FROM rebuilt_customer_setting r JOIN differing_customer_setting USING (customer);

-- name: spend_limit_repair
-- So has a limit that was set since.
DELETE FROM differing_spend_limit d USING ledger_event e
WHERE e.kind = 'limit_set' AND e.customer = d.customer AND e.subject = d.limit_id
    AND NOT EXISTS (SELECT FROM seen WHERE seen.lane = e.lane AND seen.batch >= e.batch);
DELETE FROM spend_limit l USING differing_spend_limit d
WHERE l.customer = d.customer AND l.limit_id = d.limit_id;
INSERT INTO spend_limit
SELECT r.* FROM rebuilt_spend_limit r JOIN differing_spend_limit USING (customer, limit_id);

-- name: api_key_repair
-- And a key that was made or revoked since.
DELETE FROM differing_api_key d USING ledger_event e
WHERE e.kind IN ('key_created', 'key_revoked') AND e.customer = d.customer AND e.subject = d.key_id
    AND NOT EXISTS (SELECT FROM seen WHERE seen.lane = e.lane AND seen.batch >= e.batch);
DELETE FROM api_key k USING differing_api_key d WHERE k.customer = d.customer AND k.key_id = d.key_id;
INSERT INTO api_key
SELECT r.* FROM rebuilt_api_key r JOIN differing_api_key USING (customer, key_id);

-- name: limit_window_repair
-- Adding commutes with what writers have added since the snapshot; setting the limit, which opens its windows
-- anew, does not.
DELETE FROM differing_limit_window d USING ledger_event e
WHERE e.kind = 'limit_set' AND e.customer = d.customer AND e.subject = d.limit_id
    AND NOT EXISTS (SELECT FROM seen WHERE seen.lane = e.lane AND seen.batch >= e.batch);
INSERT INTO limit_window AS w
SELECT customer, limit_id, window_start, trunc(spend_pico) FROM differing_limit_window
ORDER BY customer, limit_id, window_start
ON CONFLICT (customer, limit_id, window_start) DO UPDATE
SET spend_pico = trunc(w.spend_pico + excluded.spend_pico);
DELETE FROM limit_window w USING differing_limit_window d
WHERE w.customer = d.customer AND w.limit_id = d.limit_id AND w.window_start = d.window_start
    AND NOT d.is_known AND w.spend_pico = 0;

-- name: alert_repair
DELETE FROM alert a USING differing_alert d
WHERE a.customer = d.customer AND a.limit_id = d.limit_id AND a.window_kind = d.window_kind
    AND a.window_start = d.window_start AND a.limit_pico = d.limit_pico AND a.threshold = d.threshold;
INSERT INTO alert
SELECT r.* FROM rebuilt_alert r
JOIN differing_alert USING (customer, limit_id, window_kind, window_start, limit_pico, threshold)
ON CONFLICT DO NOTHING;

-- name: rollup_hour_index
CREATE INDEX ON differing_rollup_hour (ordinal);

-- name: rollup_hour_add
-- Adding commutes with what writers have added since the snapshot.
INSERT INTO rollup_hour AS r
SELECT customer, hour_at, dimension, requests, unrated, trunc(uncached_input_tokens),
    trunc(cached_input_tokens), trunc(output_tokens), trunc(input_pico), trunc(cached_input_pico),
    trunc(output_pico), trunc(other_pico), trunc(fee_pico)
FROM differing_rollup_hour WHERE ordinal > $1 AND ordinal <= $2
ORDER BY customer, hour_at, dimension
ON CONFLICT (customer, hour_at, dimension) DO UPDATE SET
    requests = r.requests + excluded.requests,
    unrated = r.unrated + excluded.unrated,
    uncached_input_tokens = trunc(r.uncached_input_tokens + excluded.uncached_input_tokens),
    cached_input_tokens = trunc(r.cached_input_tokens + excluded.cached_input_tokens),
    output_tokens = trunc(r.output_tokens + excluded.output_tokens),
    input_pico = trunc(r.input_pico + excluded.input_pico),
    cached_input_pico = trunc(r.cached_input_pico + excluded.cached_input_pico),
    output_pico = trunc(r.output_pico + excluded.output_pico),
    other_pico = trunc(r.other_pico + excluded.other_pico),
    fee_pico = trunc(r.fee_pico + excluded.fee_pico);

-- name: rollup_hour_clear
-- Rows that no fact knew, and that nobody has added to since.
DELETE FROM rollup_hour r USING differing_rollup_hour d
WHERE d.ordinal > $1 AND d.ordinal <= $2 AND NOT d.is_known
    AND r.customer = d.customer AND r.hour_at = d.hour_at AND r.dimension = d.dimension
    AND (r.requests, r.unrated, r.uncached_input_tokens, r.cached_input_tokens, r.output_tokens, r.input_pico,
        r.cached_input_pico, r.output_pico, r.other_pico, r.fee_pico) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

-- name: rollup_hour_touch
-- What was lost or made up was not billed rightly: the next invoice run looks at the month.
INSERT INTO touched_period (customer, period_start, epoch)
SELECT DISTINCT customer, date_trunc('month', hour_at, 'UTC')::date, $3::bigint
FROM differing_rollup_hour WHERE ordinal > $1 AND ordinal <= $2
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: rollup_hour_touch_days
-- Days that were worked out meanwhile may be as wrong.
INSERT INTO touched_day (customer, day_on, epoch)
SELECT DISTINCT customer, (hour_at AT TIME ZONE 'UTC')::date, $3::bigint
FROM differing_rollup_hour
WHERE ordinal > $1 AND ordinal <= $2
    AND hour_at < (SELECT marked_until FROM configuration)::timestamp AT TIME ZONE 'UTC'
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: rollup_hour_unit_index
CREATE INDEX ON differing_rollup_hour_unit (ordinal);

-- name: rollup_hour_unit_add
INSERT INTO rollup_hour_unit AS r
SELECT customer, hour_at, dimension, unit, trunc(quantity), trunc(pico)
FROM differing_rollup_hour_unit WHERE ordinal > $1 AND ordinal <= $2
ORDER BY customer, hour_at, dimension, unit
ON CONFLICT (customer, hour_at, dimension, unit) DO UPDATE SET
    quantity = trunc(r.quantity + excluded.quantity),
    pico = trunc(r.pico + excluded.pico);

-- name: rollup_hour_unit_clear
DELETE FROM rollup_hour_unit r USING differing_rollup_hour_unit d
WHERE d.ordinal > $1 AND d.ordinal <= $2 AND NOT d.is_known
    AND r.customer = d.customer AND r.hour_at = d.hour_at AND r.dimension = d.dimension AND r.unit = d.unit
    AND r.quantity = 0 AND r.pico = 0;

-- name: rollup_hour_unit_touch
INSERT INTO touched_period (customer, period_start, epoch)
SELECT DISTINCT customer, date_trunc('month', hour_at, 'UTC')::date, $3::bigint
FROM differing_rollup_hour_unit WHERE ordinal > $1 AND ordinal <= $2
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: rollup_hour_unit_touch_days
-- Days that were worked out meanwhile may be as wrong.
INSERT INTO touched_day (customer, day_on, epoch)
SELECT DISTINCT customer, (hour_at AT TIME ZONE 'UTC')::date, $3::bigint
FROM differing_rollup_hour_unit
WHERE ordinal > $1 AND ordinal <= $2
    AND hour_at < (SELECT marked_until FROM configuration)::timestamp AT TIME ZONE 'UTC'
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: rollup_lane_hour_index
CREATE INDEX ON differing_rollup_lane_hour (ordinal);

-- name: rollup_lane_hour_add
INSERT INTO rollup_lane_hour AS r
SELECT lane, hour_at, dimension,
    requests, unrated, trunc(uncached_input_tokens), trunc(cached_input_tokens), trunc(output_tokens),
    trunc(input_pico), trunc(cached_input_pico), trunc(output_pico), trunc(other_pico), trunc(fee_pico)
FROM differing_rollup_lane_hour WHERE ordinal > $1 AND ordinal <= $2
ORDER BY hour_at, dimension, lane
ON CONFLICT (hour_at, dimension, lane) DO UPDATE SET
    requests = r.requests + excluded.requests,
    unrated = r.unrated + excluded.unrated,
    uncached_input_tokens = trunc(r.uncached_input_tokens + excluded.uncached_input_tokens),
    cached_input_tokens = trunc(r.cached_input_tokens + excluded.cached_input_tokens),
    output_tokens = trunc(r.output_tokens + excluded.output_tokens),
    input_pico = trunc(r.input_pico + excluded.input_pico),
    cached_input_pico = trunc(r.cached_input_pico + excluded.cached_input_pico),
    output_pico = trunc(r.output_pico + excluded.output_pico),
    other_pico = trunc(r.other_pico + excluded.other_pico),
    fee_pico = trunc(r.fee_pico + excluded.fee_pico);

-- name: rollup_lane_hour_clear
DELETE FROM rollup_lane_hour r USING differing_rollup_lane_hour d
WHERE d.ordinal > $1 AND d.ordinal <= $2 AND NOT d.is_known
    AND r.lane = d.lane AND r.hour_at = d.hour_at AND r.dimension = d.dimension
    AND (r.requests, r.unrated, r.uncached_input_tokens, r.cached_input_tokens, r.output_tokens, r.input_pico,
        r.cached_input_pico, r.output_pico, r.other_pico, r.fee_pico) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

-- name: rollup_lane_hour_touch
-- Days of all customers that were worked out meanwhile may be as wrong.
INSERT INTO touched_day (customer, day_on, epoch)
SELECT DISTINCT 0, (hour_at AT TIME ZONE 'UTC')::date, $3::bigint
FROM differing_rollup_lane_hour
WHERE ordinal > $1 AND ordinal <= $2
    AND hour_at < (SELECT marked_until FROM configuration)::timestamp AT TIME ZONE 'UTC'
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: rollup_lane_hour_unit_index
CREATE INDEX ON differing_rollup_lane_hour_unit (ordinal);

-- name: rollup_lane_hour_unit_add
INSERT INTO rollup_lane_hour_unit AS r
SELECT lane, hour_at, dimension, unit, trunc(quantity), trunc(pico)
FROM differing_rollup_lane_hour_unit WHERE ordinal > $1 AND ordinal <= $2
ORDER BY hour_at, dimension, unit, lane
ON CONFLICT (hour_at, dimension, unit, lane) DO UPDATE SET
    quantity = trunc(r.quantity + excluded.quantity),
    pico = trunc(r.pico + excluded.pico);

-- name: rollup_lane_hour_unit_clear
DELETE FROM rollup_lane_hour_unit r USING differing_rollup_lane_hour_unit d
WHERE d.ordinal > $1 AND d.ordinal <= $2 AND NOT d.is_known
    AND r.lane = d.lane AND r.hour_at = d.hour_at AND r.dimension = d.dimension AND r.unit = d.unit
    AND r.quantity = 0 AND r.pico = 0;

-- name: rollup_lane_hour_unit_touch
INSERT INTO touched_day (customer, day_on, epoch)
SELECT DISTINCT 0, (hour_at AT TIME ZONE 'UTC')::date, $3::bigint
FROM differing_rollup_lane_hour_unit
WHERE ordinal > $1 AND ordinal <= $2
    AND hour_at < (SELECT marked_until FROM configuration)::timestamp AT TIME ZONE 'UTC'
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: rollup_day_touch
-- Marked, so that they are read from their hours until they are condensed anew.
INSERT INTO touched_day (customer, day_on, epoch)
SELECT DISTINCT customer, day_on, $1::bigint FROM differing_rollup_day
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: rollup_day_unit_touch
INSERT INTO touched_day (customer, day_on, epoch)
SELECT DISTINCT customer, day_on, $1::bigint FROM differing_rollup_day_unit
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: meter_usage_index
CREATE INDEX ON differing_meter_usage (ordinal);

-- name: meter_usage_add
INSERT INTO meter_usage AS u
SELECT customer, meter_version, period_start, trunc(quantity)
FROM differing_meter_usage WHERE ordinal > $1 AND ordinal <= $2
ORDER BY customer, meter_version, period_start
ON CONFLICT (customer, meter_version, period_start) DO UPDATE SET
    quantity = trunc(u.quantity + excluded.quantity);

-- name: meter_usage_clear
DELETE FROM meter_usage u USING differing_meter_usage d
WHERE d.ordinal > $1 AND d.ordinal <= $2 AND NOT d.is_known
    AND u.customer = d.customer AND u.meter_version = d.meter_version AND u.period_start = d.period_start
    AND u.quantity = 0;

-- name: meter_usage_touch
-- The later months of the meter as well: over a lifetime their fees move too.
INSERT INTO touched_period (customer, period_start, epoch)
SELECT DISTINCT d.customer, moved.period_start, $3::bigint
FROM differing_meter_usage d CROSS JOIN LATERAL (
    SELECT d.period_start
    UNION
    SELECT u.period_start FROM meter_usage u
    WHERE u.customer = d.customer AND u.meter_version = d.meter_version AND u.period_start > d.period_start
) AS moved (period_start)
WHERE d.ordinal > $1 AND d.ordinal <= $2
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: number_series_repair
-- A run that took numbers since the snapshot has the last word until the next pass.
UPDATE number_series s SET last_number = d.after FROM differing_number_series d
WHERE s.series = d.series AND s.last_number = d.before AND d.after IS NOT NULL;
DELETE FROM number_series s USING differing_number_series d
WHERE s.series = d.series AND s.last_number = d.before AND d.after IS NULL;
INSERT INTO number_series SELECT series, after FROM differing_number_series WHERE before IS NULL
ON CONFLICT DO NOTHING;

-- name: invoice_repair
DELETE FROM invoice i USING differing_invoice d WHERE i.customer = d.customer AND i.number = d.number;
INSERT INTO invoice
SELECT r.* FROM rebuilt_invoice r JOIN differing_invoice USING (customer, number)
ORDER BY r.customer, r.number
ON CONFLICT DO NOTHING;

-- name: invoice_line_repair
DELETE FROM invoice_line l USING differing_invoice_line d
WHERE l.customer = d.customer AND l.number = d.number AND l.line = d.line;
INSERT INTO invoice_line
SELECT r.* FROM rebuilt_invoice_line r JOIN differing_invoice_line USING (customer, number, line)
ORDER BY r.customer, r.number, r.line
ON CONFLICT DO NOTHING;

-- name: invoice_line_touch
-- While a line was lost or made up, a run may have settled its month wrongly.
INSERT INTO touched_period (customer, period_start, epoch)
SELECT DISTINCT customer, month, $1::bigint
FROM differing_invoice_line CROSS JOIN LATERAL (VALUES (month_before), (month_after)) AS service (month)
WHERE month IS NOT NULL
ORDER BY 1, 2
ON CONFLICT DO NOTHING;

-- name: unannounced
-- Windows that have reached a threshold which was never announced: nobody watched while their limit, or
-- what was spent, was wrong. The tiered fees in the windows are given: they are worked out elsewhere.
SELECT l.customer, c.customer_id, l.limit_id, l.amount_pico, l.window_kind, l.thresholds, l.action,
    l.watched_from, w.window_start, w.spend_pico + coalesce(fee.fee_pico, 0) AS spend_pico
FROM spend_limit l
JOIN limit_window w USING (customer, limit_id)
JOIN customer c USING (customer)
LEFT JOIN unnest($1::integer[], $2::text[], $3::timestamptz[], $4::numeric[])
        AS fee (customer, window_kind, window_start, fee_pico)
    ON fee.customer = l.customer AND fee.window_kind = l.window_kind AND fee.window_start = w.window_start
WHERE EXISTS (
    SELECT FROM unnest(l.thresholds) AS t (threshold)
    WHERE w.spend_pico + coalesce(fee.fee_pico, 0) >= t.threshold::numeric * l.amount_pico AND NOT EXISTS (
        SELECT FROM alert a
        WHERE a.customer = l.customer AND a.limit_id = l.limit_id AND a.window_kind = l.window_kind
            AND a.window_start = w.window_start AND a.limit_pico = l.amount_pico
            AND a.threshold = t.threshold COLLATE "C"))
ORDER BY l.customer, l.limit_id, w.window_start;
