"""Tests of edge/fields/quality."""
