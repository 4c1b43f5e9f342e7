"""Conversations in other programs' formats: read from them, and written to them."""
