"""Intake: from statements to committed events.

`bodies` reads what arrives, `submission` decides what each record became, `batch` plans and commits one
transaction, `writer` gathers what waits and owns the lane.
"""
