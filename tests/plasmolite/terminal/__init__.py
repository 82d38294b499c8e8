"""Specification of what the terminal shows."""
