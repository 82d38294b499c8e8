"""Tests of ``plasmolite/commands``."""
