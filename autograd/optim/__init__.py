"""Optimizers, and schedules of their learning rates (`optim.lr_scheduler`)."""

from typing import Any

from autograd.errors import attribute_error
from autograd.optim import lr_scheduler
from autograd.optim.adam import Adam, AdamW
from autograd.optim.optimizer import Optimizer
from autograd.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]


def __getattr__(name: str) -> Any:
    """Say that a name of torch is not offered, and which is nearest."""
    raise attribute_error("module 'autograd.optim'", name, __all__)
