"""Tests of edge/parasitaemia."""
