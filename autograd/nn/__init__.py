"""Neural networks: modules, losses, initial values."""

from autograd.errors import missing_names
from autograd.nn import functional, init, parameter, steps, utils
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
from autograd.nn.block_stack import BlockStack
from autograd.nn.containers import ModuleDict, ModuleList, Sequential
from autograd.nn.convolution import Conv2d
from autograd.nn.dropout import Dropout
from autograd.nn.embedding import Embedding
from autograd.nn.linear import Linear
from autograd.nn.loss import (
    BCEWithLogitsLoss,
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

__getattr__ = missing_names(__name__)
