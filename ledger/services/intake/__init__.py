"""Intake: from statements to committed events.

`intake` is the one way in, `writer` gathers what waits, `committer` holds the lane and the connection,
`batch` plans and writes one transaction, `outcomes` says what became of each record.
"""
