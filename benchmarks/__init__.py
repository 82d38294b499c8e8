"""Benchmarks that report: latency, accuracy and scale of the shipped models. Tests decide, these tell."""
