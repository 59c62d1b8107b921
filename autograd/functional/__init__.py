"""The functions of tensors: `torch.exp(x)`, which `tensors.methods` also makes `x.exp()`."""
