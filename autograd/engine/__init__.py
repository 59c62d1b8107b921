"""The engine runs operations, records them, and computes gradients."""
