"""What asks a person for one thing: a key, a line, a choice from a list."""
