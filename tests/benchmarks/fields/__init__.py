"""Tests of benchmarks/fields."""
