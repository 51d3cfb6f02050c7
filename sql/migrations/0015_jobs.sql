-- Runs of jobs: what is due follows from them, and they show what happened. Operational.

-- One row for each attempt at a slot: the period that a run is for, such as `2026-11-20`. Names of one job's
-- slots sort as the periods do.
CREATE TABLE job_run (
    job        text COLLATE "C" NOT NULL,
    slot       text COLLATE "C" NOT NULL,
    attempt    integer NOT NULL, -- from 1
    worker     text NOT NULL, -- host and process
    started_at timestamptz NOT NULL,
    ended_at   timestamptz, -- null while it runs; of a worker that died, when another one noticed
    outcome    text NOT NULL CHECK (outcome IN ('running', 'done', 'failed', 'interrupted')),
    by_hand    boolean NOT NULL, -- somebody asked for it; says nothing about the slots before
    detail     jsonb NOT NULL, -- what it did in counts and names, or the type of its error and our words
    PRIMARY KEY (job, slot, attempt)
);
CREATE INDEX job_run_by_time ON job_run (job, started_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON job_run TO ledger_service;
