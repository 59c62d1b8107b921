"""A network on a single observation, in NumPy alone.

In a batch of one the calls cost more than the arithmetic; without tensors there are far fewer.
Environments are stepped one observation at a time, so this is what acting costs.
"""

import numpy as np
from numpy.typing import NDArray

from autograd import nn
from autograd.functional.fused import mlp_row
from autograd.nn.mlp_stack import FUSED
from sac.networks.architecture import Stack

Row = NDArray[np.float32]


def fits(net: Stack) -> bool:
    """Return whether a RowNetwork can stand in for the network: on the CPU, with a fused path."""
    is_fused = isinstance(net, nn.MLPStack) and net.activation in FUSED
    return is_fused and net.flat.device.type == "cpu"


class RowNetwork:
    """A single network as a function of one observation; it sees every change of the weights."""

    is_repeatable = True

    def __init__(self, net: Stack) -> None:
        """Take a network; only one that `fits` can be called."""
        if isinstance(net, nn.MLPStack):
            # Attributes of its own: to look `flat` up among a module's parameters takes as long as
            # a layer.
            self._flat, self._layout, self._activation = net.flat, net.layout, net.activation

    def __call__(self, x: Row) -> Row:
        """Return the outputs (n,) for the inputs (features,)."""
        outputs: Row = mlp_row(x, self._flat, self._layout, self._activation)
        return outputs
