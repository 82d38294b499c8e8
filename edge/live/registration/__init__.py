"""Where a frame lies on the slide."""
