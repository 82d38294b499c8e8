"""Tests of ``plasmolite/commands/training``."""
