"""Proving the ledger: that it was not altered, and that everything derived follows from it.

`audit` goes over the log once, `verification` makes every check there is, `seals` are digests for somebody
else to keep, `rebuilding` derives projections anew and repairs them.
"""
