-- name: cut_at
-- How far each of some lanes had come by an instant. Times never decrease within a lane, so everything up
-- to the last batch that was recorded by then is in.
SELECT known.lane, reached.batch
FROM unnest($1::integer[]) AS known (lane), LATERAL (
    SELECT b.batch FROM batch b WHERE b.lane = known.lane AND b.recorded_at <= $2
    ORDER BY b.recorded_at DESC, b.batch DESC LIMIT 1
) AS reached;

-- name: last_recorded_at
-- When the latest of the batches that a cut names was recorded.
SELECT max(b.recorded_at)
FROM unnest($1::integer[], $2::bigint[]) AS cut (lane, batch) JOIN batch b USING (lane, batch);

-- name: inside_fence
-- The transactions that hold the lock of `enter_fence` or of `raise_epoch`. Looking takes no lock, so
-- nobody waits for whoever asks. A key of two numbers has objsubid 2.
SELECT virtualtransaction
FROM pg_locks
WHERE locktype = 'advisory' AND classid = 1 AND objid = 0 AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
