"""Automatic differentiation with PyTorch's names and semantics, on NumPy and CuPy."""
