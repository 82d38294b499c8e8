"""Crashes, full disks, lost streams, long counts: what a device meets in the field."""
