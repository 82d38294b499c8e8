"""The network and its training steps."""
