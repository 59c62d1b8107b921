"""Captured programs, compiled: kernels in C, run without Python between them."""
