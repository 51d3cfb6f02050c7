"""Explaining amounts: which records, which rate table version, which arithmetic.

`requests` and `invoices` make documents, `revisions`, `sharing` and `rows` their parts; `request_pages`
and `invoice_pages` print them for people with a pocket calculator.
"""
