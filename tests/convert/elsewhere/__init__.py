"""Tests of convert/elsewhere."""
