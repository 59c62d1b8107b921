"""Schedules of learning rates: call `step()` after the optimizer's, for example once an epoch."""

from autograd.errors import missing_names
from autograd.optim.lr_scheduler.formulas import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    StepLR,
)
from autograd.optim.lr_scheduler.one_cycle import OneCycleLR
from autograd.optim.lr_scheduler.plateau import ReduceLROnPlateau
from autograd.optim.lr_scheduler.scheduler import LRScheduler

__getattr__ = missing_names(__name__)
