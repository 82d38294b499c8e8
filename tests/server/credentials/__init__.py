"""Tests of ``server/credentials``."""
