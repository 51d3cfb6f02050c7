"""Use cases: each loads, asks the core, and writes in one transaction."""
