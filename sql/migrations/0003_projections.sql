-- Projections: sums and documents derived from the log. They can be thrown away and derived again.

-- Sums per customer, hour and dimension. Quantities and amounts as in usage_event, in NUMERIC, because a
-- sum of amounts leaves the range of one amount. The fill factor leaves room for updates in place.
CREATE TABLE rollup_hour (
    customer              integer NOT NULL,
    hour_at               timestamptz NOT NULL,
    dimension             integer NOT NULL,
    requests              bigint NOT NULL,
    unrated               bigint NOT NULL,
    uncached_input_tokens numeric NOT NULL,
    cached_input_tokens   numeric NOT NULL,
    output_tokens         numeric NOT NULL,
    input_pico            numeric NOT NULL,
    cached_input_pico     numeric NOT NULL,
    output_pico           numeric NOT NULL,
    other_pico            numeric NOT NULL,
    fee_pico              numeric NOT NULL,
    PRIMARY KEY (customer, hour_at, dimension)
) WITH (fillfactor = 70);

-- The same for every unit that is not tokens; most ledgers have few rows here.
CREATE TABLE rollup_hour_unit (
    customer  integer NOT NULL,
    hour_at   timestamptz NOT NULL,
    dimension integer NOT NULL,
    unit      text COLLATE "C" NOT NULL,
    quantity  numeric NOT NULL,
    pico      numeric NOT NULL,
    PRIMARY KEY (customer, hour_at, dimension, unit)
) WITH (fillfactor = 70);

CREATE TABLE customer_setting (
    customer   integer PRIMARY KEY,
    meter_slug text COLLATE "C" NOT NULL
);

CREATE TABLE spend_limit (
    customer     integer NOT NULL,
    limit_id     text COLLATE "C" NOT NULL,
    amount_pico  numeric NOT NULL CHECK (amount_pico > 0),
    window_kind  text NOT NULL CHECK (window_kind IN ('day', 'week', 'month', 'total')),
    thresholds   text[] NOT NULL,
    action       text NOT NULL CHECK (action IN ('alert', 'block')),
    watched_from timestamptz NOT NULL, -- windows that end at or before this raise nothing
    PRIMARY KEY (customer, limit_id)
);

-- The window that never ends ('total') starts at 1970-01-01 here, before any event, and at null in answers.
CREATE TABLE limit_window (
    customer     integer NOT NULL,
    limit_id     text COLLATE "C" NOT NULL,
    window_start timestamptz NOT NULL,
    spend_pico   numeric NOT NULL,
    PRIMARY KEY (customer, limit_id, window_start)
) WITH (fillfactor = 70);

-- The key is what "exactly one alert" means: a limit of another amount or
-- kind of window is another limit in this sense.
CREATE TABLE alert (
    customer     integer NOT NULL,
    limit_id     text COLLATE "C" NOT NULL,
    window_kind  text NOT NULL,
    window_start timestamptz NOT NULL,
    limit_pico   numeric NOT NULL,
    threshold    text COLLATE "C" NOT NULL,
    alert_id     text COLLATE "C" NOT NULL,
    window_end   timestamptz,
    spend_pico   numeric NOT NULL,
    raised_at    timestamptz NOT NULL,
    PRIMARY KEY (customer, limit_id, window_kind, window_start, limit_pico, threshold)
);

CREATE TABLE number_series (
    series      text COLLATE "C" PRIMARY KEY,
    last_number bigint NOT NULL
);

-- Periods are half-open and their ends are exclusive dates in UTC.
CREATE TABLE invoice (
    customer      integer NOT NULL,
    number        text COLLATE "C" NOT NULL,
    status        text NOT NULL,
    period_start  date NOT NULL,
    period_end    date NOT NULL,
    currency      text NOT NULL,
    subtotal      numeric NOT NULL,
    tax           numeric NOT NULL,
    total         numeric NOT NULL,
    rounding_pico numeric NOT NULL, -- total minus exact sum
    issued_at     timestamptz NOT NULL,
    PRIMARY KEY (customer, number),
    UNIQUE (customer, period_start) -- one regular invoice for each period
);

-- Numbers in their order, also beyond six digits.
CREATE INDEX invoice_by_number ON invoice (length(number), number);

CREATE TABLE invoice_line (
    customer            integer NOT NULL,
    number              text COLLATE "C" NOT NULL,
    line                integer NOT NULL,
    provider            text COLLATE "C",
    model               text COLLATE "C",
    key_type            key_type NOT NULL,
    period_start        date NOT NULL,
    period_end          date NOT NULL,
    requests            numeric NOT NULL,
    input_tokens        numeric NOT NULL,
    cached_input_tokens numeric NOT NULL,
    output_tokens       numeric NOT NULL,
    cost_pico           numeric NOT NULL,
    fee_pico            numeric NOT NULL,
    exact_pico          numeric NOT NULL,
    amount              numeric NOT NULL,
    PRIMARY KEY (customer, number, line)
);
