-- Least privilege for the running service: it reads everything, appends facts, and moves projections.
-- It has no rights on a partition by name; rows reach partitions through their parents only.

GRANT USAGE ON SCHEMA ledger TO ledger_service;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO ledger_service;
REVOKE ALL ON
    usage_event_past, usage_event_future, usage_event_opaque, usage_event_opaque_0, usage_event_opaque_1,
    usage_event_opaque_2, usage_event_opaque_3, event_text_past, event_text_future, event_text_opaque,
    event_text_opaque_0, event_text_opaque_1, event_text_opaque_2, event_text_opaque_3
FROM ledger_service;

GRANT INSERT ON
    customer, rate_table, meter_version, dimension, batch, usage_event, event_text, ledger_event
TO ledger_service;

GRANT UPDATE ON configuration TO ledger_service;

GRANT INSERT, UPDATE, DELETE ON
    rollup_hour, rollup_hour_unit, customer_setting, spend_limit, limit_window, alert, number_series,
    invoice, invoice_line, touched_period, outbox, quarantine
TO ledger_service;
