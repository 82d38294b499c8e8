"""A slide in the forms that a laboratory files and sends."""
