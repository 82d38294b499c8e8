"""Tests of edge/images."""
