"""Tests of ``server/http``."""
