"""What is done to all parameters of a network at once: clip their gradients, lay them out as a vector."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd.tensor import Tensor
