"""Trains the small network that finds the cells of a field; `python -m train.finder` runs all of it."""
