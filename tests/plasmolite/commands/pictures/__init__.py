"""Tests of ``plasmolite/commands/pictures``."""
