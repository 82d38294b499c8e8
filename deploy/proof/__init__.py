"""Proofs of the bundle without a board."""
