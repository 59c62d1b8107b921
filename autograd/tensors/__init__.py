"""Tensor: its attributes, methods, conversions and changes in place."""
