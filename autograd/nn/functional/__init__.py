"""`nn.functional`: what the modules compute, as functions without state."""

from autograd.errors import missing_names
from autograd.functional.activation import logsigmoid, softplus
from autograd.functional.elementwise import sigmoid, tanh
from autograd.functional.indexing import one_hot
from autograd.nn.functional.activation import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    relu,
    silu,
    softmax,
)
from autograd.nn.functional.affine import linear
from autograd.nn.functional.classification import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    nll_loss,
)
from autograd.nn.functional.convolution import conv2d
from autograd.nn.functional.embedding import embedding
from autograd.nn.functional.loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from autograd.nn.functional.normalization import batch_norm, layer_norm
from autograd.nn.functional.regularization import dropout

__getattr__ = missing_names(__name__)
