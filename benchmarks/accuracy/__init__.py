"""Sections that measure verdicts against labels."""
