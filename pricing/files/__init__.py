"""Rate files: YAML text to a rate table, or everything that is wrong with it, by line."""
