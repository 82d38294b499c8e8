"""Tests of the virtual stage."""
