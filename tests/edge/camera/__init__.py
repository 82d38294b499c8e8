"""Tests of edge/camera."""
