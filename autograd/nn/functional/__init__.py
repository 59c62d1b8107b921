"""`nn.functional`: what the modules compute, as functions without state."""

from typing import Any

from autograd.errors import attribute_error
from autograd.nn.functional.activation import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logsigmoid,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from autograd.nn.functional.affine import linear
from autograd.nn.functional.classification import cross_entropy, nll_loss
from autograd.nn.functional.convolution import conv2d
from autograd.nn.functional.encoding import one_hot
from autograd.nn.functional.loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from autograd.nn.functional.normalization import batch_norm, layer_norm
from autograd.nn.functional.regularization import dropout

__all__ = [
    "batch_norm",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "gelu",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "relu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]


def __getattr__(name: str) -> Any:
    """Say that a name of torch is not offered, and which is nearest."""
    raise attribute_error("module 'autograd.nn.functional'", name, __all__)
