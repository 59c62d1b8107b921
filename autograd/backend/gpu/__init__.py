"""What CuPy lacks for a GPU: random numbers, copies in the background, records."""
