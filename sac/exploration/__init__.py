"""Exploration: what is done in an environment in order to see more of it."""
