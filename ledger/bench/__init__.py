"""Benches: what the product does in a second, beside a floor that is measured in the same run.

One module a bench (`intake`, `ingest`), each a command of `python -m ledger.bench`. The others are what
they share: `records` makes what is sent, `databases` and `processes` what it is sent to, `load` sends it,
`copying` and `nothing` are the floors.
"""
