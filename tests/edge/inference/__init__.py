"""Tests of edge/inference."""
