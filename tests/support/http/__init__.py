"""Servers, browsers and requests for tests."""
