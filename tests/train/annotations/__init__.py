"""Tests of train/annotations."""
