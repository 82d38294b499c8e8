"""What lets a client in: the token, the code for a phone, and the sessions that ended."""
