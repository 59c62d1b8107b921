"""Which transitions a batch has, and what it makes of them: one file for each way to sample."""
