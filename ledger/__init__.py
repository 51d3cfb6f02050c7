"""A usage metering and billing ledger for LLM traffic.

Request records come in, are rated against versioned rate tables and appended to a log that nobody can
edit; rollups, limits, invoices and exports are derived from it. ARCHITECTURE.md shows the way of one
record through the packages.
"""

__version__ = "0.1.0"
