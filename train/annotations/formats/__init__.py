"""One reader for each format, a module each."""
