"""What a GPU needs beside CuPy: random numbers, copies in the background, records."""
