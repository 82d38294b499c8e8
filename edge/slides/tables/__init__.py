"""The SQLite tables under the slide store: how they are opened, made, filled and read."""
