"""Optimizers, and schedules of their learning rates (`optim.lr_scheduler`)."""

from autograd.errors import missing_names
from autograd.optim import lr_scheduler
from autograd.optim.adam import Adam, AdamW
from autograd.optim.optimizer import Optimizer
from autograd.optim.rmsprop import RMSprop
from autograd.optim.sgd import SGD

__getattr__ = missing_names(__name__)
