"""Reports as HTML and tables."""
