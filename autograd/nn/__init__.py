"""Neural networks: modules, losses, initial values."""

from autograd.nn import functional, init, parameter, utils
from autograd.nn.activation import ReLU, Tanh
from autograd.nn.containers import ModuleDict, ModuleList, Sequential
from autograd.nn.linear import Identity, Linear
from autograd.nn.module import Module
from autograd.nn.parameter import Parameter

__all__ = [
    "Identity",
    "Linear",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ReLU",
    "Sequential",
    "Tanh",
    "functional",
    "init",
    "parameter",
    "utils",
]
