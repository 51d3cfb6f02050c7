"""The only package that talks to PostgreSQL. It knows tables and locks, and no business rule.

The SQL itself lives in `sql/`: migrations and named queries.
"""
