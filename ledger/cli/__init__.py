"""The command line: it translates between words and services and decides nothing."""
