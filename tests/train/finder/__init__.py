"""Tests of train/finder."""
