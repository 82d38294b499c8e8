"""One file a sub-command: options in, the stage called, people or programs told."""
