"""Moving a ledger: all of it into a folder, and out of the folder into an empty database."""
