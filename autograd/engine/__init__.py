"""The engine: it runs operations, records them, and brings gradients back."""
