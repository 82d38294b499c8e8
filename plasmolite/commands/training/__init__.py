"""Commands that train, convert and measure models, on a workstation."""
