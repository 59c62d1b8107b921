"""Restoring of environments to where an earlier process left them."""
