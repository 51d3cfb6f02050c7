"""The HTTP face: it translates between requests and services and decides nothing."""
