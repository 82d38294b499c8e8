"""Trains the small network that finds the cells of a field; `python -m train.cellfinder` runs all of it."""
