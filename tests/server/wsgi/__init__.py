"""Tests of server/wsgi."""
