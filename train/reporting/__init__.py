"""The record and report of a run."""
