"""Tests of edge/cells."""
