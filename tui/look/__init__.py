"""What it looks like: themes and inks, fitted to the colours that the terminal has."""
