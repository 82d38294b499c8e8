"""Tests of edge/device."""
