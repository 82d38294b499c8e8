"""Drawn cells, fields and slides with known truth."""
