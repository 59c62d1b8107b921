"""Optimizers, and schedules of their learning rates (`optim.lr_scheduler`)."""

from autograd.optim import lr_scheduler
from autograd.optim.adam import Adam, AdamW
from autograd.optim.optimizer import Optimizer
from autograd.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]
