"""Benches: what the product does in a second, beside a floor that is measured in the same run.

A module for each bench, a command of `python -m ledger.bench`; `--help` lists them. What they share:

    records, patterns     what is sent, and the rows that intake would make of it
    databases, filling    fresh databases on a server of their own, and how one gets a past
    processes, serving    servers and commands as processes of their own, their time and memory
    postgres, stopping    the processes of the database: what they cost, and taking them away
    load, open_loop       a client that waits for answers, and one that sends what is due
    copying, nothing      floors: COPY of the same rows, a handler that does nothing
    running, report       a bench that ends in order; a table or one JSON document, progress

The client is the bench itself, so it is never in the server's process; its own share of processor time stands
beside what it measures. Servers run without jobs.
"""
