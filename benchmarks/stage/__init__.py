"""A virtual stage and camera over slides of known truth: what motion, noise and light cost a live count."""
