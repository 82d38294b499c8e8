"""Slides that survive: what was counted, by which model, and what a person said of it, in one SQLite file."""
