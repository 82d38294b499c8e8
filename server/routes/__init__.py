"""The addresses of the API and the page."""
