"""Tests of edge/live/sources."""
