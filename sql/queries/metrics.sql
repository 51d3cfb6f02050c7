-- What /metrics reads: of each table a few rows by an index, or a table that stays small. Never the log.

-- name: time_limit
-- For the rest of the transaction: who looks on may not burden what is looked at.
SELECT set_config('statement_timeout', $1, true);

-- name: unrated
-- What has no price now; the index holds nothing else.
SELECT coalesce(sum(unrated), 0)::bigint FROM rollup_hour WHERE unrated <> 0;

-- name: quarantine
-- A row for each sender.
SELECT coalesce(sum(kept), 0)::bigint AS records, coalesce(sum(kept_bytes), 0)::bigint AS bytes,
    coalesce(sum(not_kept), 0)::bigint AS not_kept
FROM quarantine_sender;

-- name: jobs
-- How each job ended last, and when it was done last.
SELECT wanted.job, last.outcome, done.ended_at AS done_at
FROM unnest($1::text[]) AS wanted (job)
LEFT JOIN LATERAL (
    SELECT outcome FROM job_run r WHERE r.job = wanted.job ORDER BY r.started_at DESC LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    SELECT ended_at FROM job_run r WHERE r.job = wanted.job AND r.outcome = 'done'
    ORDER BY r.started_at DESC LIMIT 1
) AS done ON true;

-- name: verified
-- What the last verification found that came to an end.
SELECT ended_at AS verified_at, (detail ->> 'ok')::boolean AS is_ok FROM job_run
WHERE job = 'verify' AND outcome = 'done'
ORDER BY started_at DESC LIMIT 1;
