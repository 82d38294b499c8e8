"""Cameras and streams that need no device, for tests."""
