"""Tests of edge.reports."""
