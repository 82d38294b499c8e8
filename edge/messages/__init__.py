"""Every sentence that a person reads: a code with values, and one catalogue of sentences per language."""
