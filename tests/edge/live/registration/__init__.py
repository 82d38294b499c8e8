"""Tests of edge/live/registration."""
