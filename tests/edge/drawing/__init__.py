"""Tests of edge/drawing."""
