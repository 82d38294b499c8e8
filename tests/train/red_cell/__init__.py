"""Tests of train/red_cell."""
