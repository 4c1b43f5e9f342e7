"""A request as a program or a command of one's own: what to paste elsewhere. Never with a key in it."""
