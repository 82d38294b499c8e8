"""Tests of edge/fields."""
