"""Tests of benchmarks/speed."""
