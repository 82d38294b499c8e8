"""Tests of ``plasmolite/commands/counting``."""
