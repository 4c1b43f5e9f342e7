"""What can be done: the table of all actions with their keys, and what carries each of them out."""
