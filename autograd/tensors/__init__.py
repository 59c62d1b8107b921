"""`Tensor`: its attributes, methods, conversions and in-place changes."""
