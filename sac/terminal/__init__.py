"""What a person at the terminal sees, and how Ctrl-C is heard."""
