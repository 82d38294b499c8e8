"""Tests of ``plasmolite/commands/device``."""
