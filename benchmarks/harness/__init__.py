"""Running, timing and comparing measurements."""
