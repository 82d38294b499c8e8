"""The tests read as the specification: one behaviour a test, real parts before mocks."""
