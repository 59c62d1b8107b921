"""Watches the losses: the first that is not a finite number ends the learning.

In host memory a loss is looked at before its gradient is taken, and raises. To look at one on a
device would make the update wait for it: there a flag on the device remembers the first bad loss
and turns that step and all later ones of the optimizers into no-ops, until `read` is called.
"""

import math
from collections.abc import Iterable

import autograd as torch
from autograd import Tensor, optim
from autograd.engine.capture import check
from autograd.functional.fused import watch
from sac.errors import DivergenceError

NAMES = 128  # more than an agent has losses
NEVER = 2**62
CURES = "a lower learning rate, agent.max_grad_norm or agent.reward_scale help"


class LossGuard:
    """Raises DivergenceError for a loss that is not finite: at once, or by `read` if `is_deferred`.

    The optimizers read the flag under the name that it has in torch, `found_inf`.
    """

    def __init__(
        self, optimizers: Iterable[optim.Optimizer], device: torch.device, *, is_deferred: bool
    ) -> None:
        self.is_deferred = is_deferred
        self.update = 0  # the number of the update whose losses come, from 1
        self._names: list[str] = []
        if is_deferred:
            self._first_bad = torch.tensor(NEVER, device=device)
            self._found_inf = torch.tensor(0.0, device=device)
            for optimizer in optimizers:
                optimizer.found_inf = self._found_inf

    @check
    def check(self, name: str, loss: Tensor) -> None:
        """Look at the loss called `name`."""
        if self.is_deferred:
            self._note(name, loss)
        elif not math.isfinite(value := loss.item()):
            raise _diverged(name, f"{value}", self.update)

    def _note(self, name: str, loss: Tensor) -> None:
        if name not in self._names:
            self._names.append(name)
        # Later losses have larger numbers: the smallest is the first.
        number = self.update * NAMES + self._names.index(name)
        watch(loss, number, self._first_bad, self._found_inf)

    def read(self) -> None:
        """Raise for the first bad loss of all; this waits for the device."""
        number = self._first_bad.item() if self.is_deferred else NEVER
        if number < NEVER:
            update, index = divmod(int(number), NAMES)
            raise _diverged(self._names[index], "not finite", update)


def _diverged(name: str, value: str, update: int) -> DivergenceError:
    return DivergenceError(
        f"the training diverged: {name} was {value} in update {update}; {CURES}",
        quantity=name,
        update=update,
    )
