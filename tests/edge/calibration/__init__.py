"""Tests of edge/calibration."""
