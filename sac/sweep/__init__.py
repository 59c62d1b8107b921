"""Several runs at a time: their plan, their processes, and one display of them all."""
