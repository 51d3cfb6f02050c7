"""Rating again what is recorded: a range that somebody names, and whatever had no price when it came.

Both read what stands in stretches of time, plan a chunk of it in memory and post it as one batch.
"""
