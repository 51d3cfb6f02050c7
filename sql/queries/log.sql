-- name: try_lane
-- A lane belongs to one session; the lock frees itself when the session ends, however it ends.
SELECT pg_try_advisory_lock(2, $1);

-- name: last_batch
SELECT coalesce(max(batch), 0) FROM batch WHERE lane = $1;

-- name: append_batch
INSERT INTO batch (lane, batch, recorded_at, events, decisions) VALUES ($1, $2, $3, $4, $5);

-- name: append_decisions
INSERT INTO ledger_event (customer, lane, batch, ordinal, kind, subject, actor, body)
SELECT decided.customer, $1, $2, decided.ordinal, decided.kind, decided.subject, $3, decided.body
FROM unnest($4::integer[], $5::integer[], $6::decision_kind[], $7::text[], $8::jsonb[])
    AS decided (customer, ordinal, kind, subject, body);

-- name: enter_fence
-- Holds off changes of the configuration until the transaction ends, and tells which one is in force.
SELECT enter_fence();

-- name: raise_epoch
-- Waits for the writers inside the fence, keeps new ones out until the transaction ends.
SELECT raise_epoch();

-- name: cut
-- The last batch of every lane, found by skipping from lane to lane through the primary key.
WITH RECURSIVE lanes AS (
    (SELECT lane, batch FROM batch ORDER BY lane DESC, batch DESC LIMIT 1)
    UNION ALL
    SELECT lower_lane.lane, lower_lane.batch
    FROM lanes, LATERAL (
        SELECT lane, batch FROM batch WHERE lane < lanes.lane ORDER BY lane DESC, batch DESC LIMIT 1
    ) AS lower_lane
)
SELECT lane, batch FROM lanes ORDER BY lane;
