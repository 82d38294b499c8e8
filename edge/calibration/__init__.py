"""A laboratory's own threshold and false-alarm rate."""
