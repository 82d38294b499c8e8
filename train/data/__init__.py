"""Labelled cells: reading, patients, splits."""
