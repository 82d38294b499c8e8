"""Tests of edge/simulation."""
