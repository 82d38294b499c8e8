"""Pictures of single cells: cutting one out, and whether it is a red cell at all."""
