"""Teaches a model what a site's reviewers know: a small head of its own beside the network's."""
