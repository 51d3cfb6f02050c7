-- name: try_lane
-- A lane belongs to one session; the lock frees itself when the session ends, however it ends.
SELECT pg_try_advisory_lock(2, $1);

-- name: last_batch
SELECT batch, recorded_at, digest FROM batch WHERE lane = $1 ORDER BY batch DESC LIMIT 1;

-- name: append_batch
INSERT INTO batch (lane, batch, recorded_at, events, decisions, digest) VALUES ($1, $2, $3, $4, $5, $6);

-- name: append_decisions
INSERT INTO ledger_event (customer, lane, batch, ordinal, kind, subject, actor, reason, epoch, body)
SELECT decided.customer, $1, $2, decided.ordinal, decided.kind, decided.subject, decided.actor,
    decided.reason, decided.epoch, decided.body
FROM unnest($3::integer[], $4::integer[], $5::decision_kind[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::jsonb[]) AS decided (customer, ordinal, kind, subject, actor, reason, epoch, body);

-- name: enter_fence
-- Holds off changes of the configuration until the transaction ends, and tells which one is in force.
SELECT enter_fence();

-- name: hold_fence
-- The same lock for the session: no configuration changes until it is given back.
SELECT pg_advisory_lock_shared(1, 0);

-- name: release_fence
SELECT pg_advisory_unlock_shared(1, 0);

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
