"""Cameras: listing, settings, opening."""
