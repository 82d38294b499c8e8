"""Tests of what leaves the device."""
