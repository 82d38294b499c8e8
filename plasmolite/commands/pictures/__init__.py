"""Commands that read, or draw, files of pictures."""
