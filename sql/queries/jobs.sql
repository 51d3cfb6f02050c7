-- name: try_lock
-- One worker for each job; the lock frees itself when the session ends, however it ends.
SELECT pg_try_advisory_lock(9, $1);

-- name: notice_loss
-- A worker whose machine is gone says no goodbye. Without this the server would keep its lock for two hours.
SELECT set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '3', false);

-- name: last_due
-- The last slot that was done because it was due.
SELECT max(slot) FROM job_run WHERE job = $1 AND outcome = 'done' AND NOT by_hand;

-- name: done
-- When slots were begun that were done since.
SELECT slot, max(started_at) AS started_at FROM job_run
WHERE job = $1 AND slot = ANY($2::text[]) AND outcome = 'done'
GROUP BY slot;

-- name: last_attempt
SELECT job, slot, attempt, worker, started_at, ended_at, outcome, by_hand, detail::text FROM job_run
WHERE job = $1 AND slot = $2 ORDER BY attempt DESC LIMIT 1;

-- name: last_run
SELECT job, slot, attempt, worker, started_at, ended_at, outcome, by_hand, detail::text FROM job_run
WHERE job = $1 ORDER BY started_at DESC, slot DESC, attempt DESC LIMIT 1;

-- name: has_running
SELECT EXISTS (SELECT FROM job_run WHERE job = $1 AND outcome = 'running');

-- name: begin
INSERT INTO job_run (job, slot, attempt, worker, started_at, outcome, by_hand, detail)
SELECT $1, $2, coalesce(max(attempt), 0) + 1, $3, $4, 'running', $5, '{}'
FROM job_run WHERE job = $1 AND slot = $2
RETURNING attempt;

-- name: end
UPDATE job_run SET outcome = $4, ended_at = $5, detail = $6::jsonb
WHERE job = $1 AND slot = $2 AND attempt = $3;

-- name: end_left_running
-- By who holds the lock of the job: whoever ran these does so no more.
UPDATE job_run SET outcome = 'interrupted', ended_at = $2 WHERE job = $1 AND outcome = 'running'
RETURNING slot, attempt, worker;

-- name: unmetered_before
-- Requests that said `pending` or `error` last, at a time that has passed, and never completed.
SELECT e.kind::text AS status, count(*) AS requests
FROM usage_event e
WHERE e.revision = 0 AND e.occurred_at < $1 AND NOT EXISTS (
    SELECT FROM usage_event completed
    WHERE completed.request_id = e.request_id AND completed.customer = e.customer AND completed.revision = 1)
GROUP BY e.kind;
