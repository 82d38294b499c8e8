"""What a person does on the page from end to end, in a real browser over a network address."""
