"""Tests of edge/teaching."""
