"""The optimizer of a part."""

from collections.abc import Sequence

from autograd import nn, optim


def adam(
    module: nn.Module, lr: float, betas: Sequence[float], weight_decay: float
) -> optim.Optimizer:
    """Return Adam over a module's parameters; AdamW where there is weight decay."""
    first, second = betas
    if weight_decay:
        return optim.AdamW(module.parameters(), lr, (first, second), weight_decay=weight_decay)
    return optim.Adam(module.parameters(), lr, (first, second))
