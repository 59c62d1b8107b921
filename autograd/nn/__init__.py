"""Neural networks: modules, losses, initial values."""

from typing import Any

from autograd.errors import attribute_error
from autograd.nn import functional, init, parameter, utils
from autograd.nn.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from autograd.nn.containers import ModuleDict, ModuleList, Sequential
from autograd.nn.convolution import Conv2d
from autograd.nn.dropout import Dropout
from autograd.nn.linear import Linear
from autograd.nn.loss import (
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from autograd.nn.mlp_stack import Layer, MLPStack
from autograd.nn.module import Module
from autograd.nn.normalization import BatchNorm1d, LayerNorm
from autograd.nn.parameter import Parameter
from autograd.nn.shape import Flatten, Identity

__all__ = [
    "ELU",
    "GELU",
    "BatchNorm1d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MLPStack",
    "MSELoss",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
    "init",
    "parameter",
    "utils",
]


def __getattr__(name: str) -> Any:
    """Say that a name of torch is not offered, and which is nearest."""
    raise attribute_error("module 'autograd.nn'", name, __all__)
