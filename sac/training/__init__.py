"""Training: the loop, its state, and what keeps both."""
