"""The board, its check, and systemd."""
