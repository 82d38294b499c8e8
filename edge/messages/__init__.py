"""Every sentence that a person reads, one catalogue a language."""
