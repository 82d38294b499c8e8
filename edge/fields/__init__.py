"""Whole fields: find, check, classify."""
