"""Tests of edge/messages."""
