"""Small slides and stores for tests."""
