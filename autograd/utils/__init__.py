"""`utils`: what serves a training beside tensors and networks."""

from autograd.errors import missing_names
from autograd.utils import data

__getattr__ = missing_names(__name__)
