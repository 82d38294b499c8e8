"""Tests of benchmarks/output."""
