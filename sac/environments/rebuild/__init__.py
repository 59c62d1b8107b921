"""Environments brought back to where an earlier process left them."""
