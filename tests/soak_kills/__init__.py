"""A soak of kills: mixed traffic while servers and PostgreSQL are killed, and a memory of what was answered.

sending, deciding, office ──▶ two servers, one PostgreSQL ◀── killing
         │ what was answered
         ▼
      memory ──▶ judging ◀── evidence: all that the ledger says in the end
"""
