"""A network on a single observation, in NumPy alone.

In a batch of one the calls cost more than the arithmetic; without tensors there are far fewer.
Environments are stepped one observation at a time, so this is what acting costs.
"""

import numpy as np
from numpy.typing import NDArray

from autograd.functional.fused import mlp_row
from sac.networks.mlp import FUSED, MLP

Row = NDArray[np.float32]


def fits(net: MLP) -> bool:
    """Whether a RowNetwork can stand in for the network: on the CPU, with these activations."""
    return net.activation in FUSED and net.parameter_list[0].device.type == "cpu"


class RowNetwork:
    """An MLP as a function of one observation; it sees every change of the weights."""

    def __init__(self, net: MLP) -> None:
        # A list of its own: to look `net` up among a module's children takes as long as a layer.
        self._parameters, self._activation = net.parameter_list, net.activation

    def __call__(self, x: Row) -> Row:
        """Return the outputs (n,) for the inputs (features,)."""
        outputs: Row = mlp_row(x, self._parameters, self._activation)
        return outputs
