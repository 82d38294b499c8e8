"""Tests of edge/filing."""
