"""Faults on a schedule: what they cost a reader with a cursor, and one without."""
