"""The names of `torch.autograd`: `import autograd as torch; torch.autograd.grad(...)`."""

from __future__ import annotations

from autograd import function as function
from autograd.engine.anomaly import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from autograd.engine.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from autograd.engine.gradients import backward, grad
from autograd.errors import missing_names
from autograd.function import Function
from autograd.gradient_check import GradcheckError, gradcheck
from autograd.tensors.tensor import Tensor as Variable

__getattr__ = missing_names(__name__)
