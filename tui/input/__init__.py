"""What a person types: one-line inputs, keys of an input method, paths, and texts in an editor of their own."""
