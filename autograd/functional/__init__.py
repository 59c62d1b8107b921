"""The operations on tensors: `torch.exp(x)` here, `x.exp()` in `operators`, the same function."""
