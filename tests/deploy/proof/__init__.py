"""Tests of deploy/proof."""
