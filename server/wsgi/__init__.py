"""The production WSGI server and its orderly end."""
