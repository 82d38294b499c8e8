"""Tests of edge/slides."""
