"""A network on a single observation, in NumPy alone.

In a batch of one the calls cost more than the arithmetic; without tensors there are far fewer.
Environments are stepped one observation at a time, so this is what acting costs.
"""

import numpy as np
from numpy.typing import NDArray

from sac.networks import FUSED, MLP

Row = NDArray[np.float32]


def fits(net: MLP) -> bool:
    """Whether `forward` can stand in for the network: on the CPU, with these activations."""
    return net.activation in FUSED and net.parameter_list[0].device.type == "cpu"


def forward(net: MLP, x: Row) -> Row:
    """Return the outputs (n,) for the inputs (features,)."""
    arrays = [parameter.numpy(force=True) for parameter in net.parameter_list]
    for i in range(0, len(arrays) - 2, 2):
        x = np.dot(arrays[i], x)
        x += arrays[i + 1]
        if net.activation == "relu":
            np.maximum(x, 0, out=x)
        else:
            np.tanh(x, out=x)
    return np.dot(arrays[-2], x) + arrays[-1]
