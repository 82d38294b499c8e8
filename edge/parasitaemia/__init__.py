"""Counts to a parasitaemia with its interval."""
