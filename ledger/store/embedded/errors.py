class EmbeddedServerError(Exception):
    """The embedded PostgreSQL server cannot be used; the message says what to do about it."""
