"""Work that is done at its time without anybody asking: what is due, running it, what it does."""
