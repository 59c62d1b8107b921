"""Fused functions: chains of elementwise steps in one call, for each array library."""
