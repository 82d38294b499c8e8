"""Sections that measure time and memory."""
