"""The pure heart of the ledger: values in, values out. No I/O, no clock, no randomness, no float."""
