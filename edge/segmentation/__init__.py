"""Finding the red cells of a field."""
