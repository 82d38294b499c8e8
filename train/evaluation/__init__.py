"""Figures and thresholds on held-out cells."""
