"""Whether an agent's updates run compiled, or in NumPy, and why."""

from functools import cached_property
from typing import Any

import autograd as torch
from sac.errors import ConfigError
from sac.threads import update_threads

MODES = ("auto", "always", "never")


class Compilation:
    """The choice of `train.compile`, made once, when it is first asked for."""

    def __init__(self, mode: str, device: torch.device) -> None:
        """ConfigError for another mode than auto, always or never, or for `always` on a GPU."""
        if mode not in MODES:
            raise ConfigError(f"train.compile: expected one of {', '.join(MODES)}, got {mode!r}")
        if mode == "always" and device.type != "cpu":
            raise ConfigError(
                "train.compile: expected auto or never on a GPU, which has kernels of its own, "
                "got always"
            )
        self.mode, self.device = mode, device

    def __reduce__(self) -> tuple[type["Compilation"], tuple[str, torch.device]]:
        """A copy chooses anew, perhaps on another machine."""
        return Compilation, (self.mode, self.device)

    @cached_property
    def compiler(self) -> Any:
        """An `autograd.compiled.Compiler`; None where NumPy, or the GPU, runs updates.

        ConfigError if it must be there and can't.
        """
        return self._choice[0]

    @property
    def note(self) -> list[str]:
        """In words, how updates run, and why, where that is not obvious."""
        return [self._choice[1]] if self._choice[1] else []

    @property
    def name(self) -> str:
        """What the bits of updates depend on."""
        compiler = self.compiler
        return "numpy" if compiler is None else f"compiled by {compiler.library.compiler}"

    @cached_property
    def _choice(self) -> tuple[Any, str]:
        if self.mode == "never" or self.device.type != "cpu":
            return None, ""
        from autograd.compiled import BuildError, Compiler, load  # to keep `import sac` quick

        try:
            library = load()
        except BuildError as error:
            if self.mode == "always":
                raise ConfigError(f"train.compile: always can't be had: {error}") from None
            return None, f"updates run in NumPy, not compiled: {error}"
        if self.mode == "auto" and not library.is_fast:
            return None, (
                "updates run in NumPy: this processor's vectors are short, and it was not measured "
                "whether compiled ones are faster here; train.compile always tries it"
            )
        threads = update_threads()
        words = "1 thread" if threads == 1 else f"up to {threads} threads"
        return Compiler(library, threads), f"updates run compiled, on {words}"
