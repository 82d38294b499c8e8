"""Commands that check the device, its cameras and its models."""
