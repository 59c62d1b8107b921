"""Stepping of several environments together."""
