"""What goes between the program and the terminal: keys in, frames out, at the pace that the line takes."""
