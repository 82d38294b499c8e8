"""How cells are varied in training."""
