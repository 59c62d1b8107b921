"""Chains of elementwise steps as one call, for each array library."""
