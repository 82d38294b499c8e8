"""Where a frame is on the slide."""
