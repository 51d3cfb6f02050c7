"""Meters: our fee schedules, what they count, what they charge, and how they are stated."""
