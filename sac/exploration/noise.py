"""Noise for the policy's own samples that is correlated from step to step.

An action is tanh(mean + std * noise), and a choice the largest logit minus the logarithm of
(noise^2 + noise^2) / 2. White noise, new in each step, moves a body to and fro around
where it is; noise that changes slowly takes it further. Each number by itself is standard normal,
so that a single action has the policy's distribution whatever the noise.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from sac.seeding import generator, generator_to_json, restore_generator

PINK_STEPS = 1000  # of one piece of pink noise: the slowest wave in it
LONGEST_HOLD = 16
HOLD_EXPONENT = 2.0


def pink(source: Generator, size: int) -> NDArray[np.float32]:
    """Return numbers (PINK_STEPS, size) whose power falls as 1/f.

    Source: Eberhard et al. 2023, "Pink noise is all you need", ICLR; the method is that of Timmer
    and König 1995.
    """
    steps = PINK_STEPS
    frequency = np.maximum(np.fft.rfftfreq(steps), 1 / steps)
    scale = frequency[:, None] ** -0.5
    is_real = np.zeros_like(scale, np.bool_)
    is_real[[0, -1]] = True  # constant and fastest wave have one part, which has both's power
    scale[is_real] *= np.sqrt(2)
    variance = np.where(is_real, 1, 4) * scale**2
    real, imaginary = scale * source.standard_normal((2, len(scale), size))
    waves = np.fft.irfft(real + 1j * imaginary, steps, axis=0)
    return (waves * steps / np.sqrt(variance.sum())).astype(np.float32)


def repeated(source: Generator, size: int) -> NDArray[np.float32]:
    """Return one draw held for k steps (k, size), with P(k) in proportion to k^-2, k up to 16.

    Source: FlashSAC, arXiv:2604.04539.
    """
    odds = np.arange(1, LONGEST_HOLD + 1) ** -HOLD_EXPONENT
    length = 1 + int(np.searchsorted(odds.cumsum(), source.random() * odds.sum(), side="right"))
    return np.repeat(source.standard_normal((1, size), np.float32), length, axis=0)


def held(source: Generator, size: int, steps: int) -> NDArray[np.float32]:
    """Return one draw for all of so many steps (steps, size)."""
    return np.repeat(source.standard_normal((1, size), np.float32), steps, axis=0)


KINDS: dict[str, tuple[int, Callable[[Generator, int], NDArray[np.float32]]]] = {
    "pink": (PINK_STEPS, pink),  # the longest piece, and how one is drawn
    "repeated": (LONGEST_HOLD, repeated),
}


class Noise:
    """Noise for each environment on its own, piece after piece; an episode begins with one."""

    def __init__(
        self, kind: str, num_envs: int, size: int, stream: SeedSequence, hold: int = 1
    ) -> None:
        """`kind` is a key of KINDS, or held, for `hold` steps; `size` numbers an action."""
        pieces = KINDS | {"held": (hold, partial(held, steps=hold))}
        longest, self._piece = pieces[kind]
        self._pieces = np.zeros((num_envs, longest, size), np.float32)  # each one's at its end
        self._left = np.zeros(num_envs, np.int64)  # steps of each piece that are to come
        self.reseed(stream)

    def draw(self) -> NDArray[np.float32]:
        """Return the noise of the next step of each environment, (num_envs, size)."""
        for env in np.flatnonzero(self._left == 0):
            piece = self._piece(self._generator, self._pieces.shape[2])
            self._pieces[env, -len(piece) :] = piece
            self._left[env] = len(piece)
        noise = self._pieces[np.arange(len(self._left)), -self._left]
        self._left -= 1
        return noise

    def end(self, ended: NDArray[np.bool_]) -> None:
        """Let go of the pieces of environments whose episodes ended."""
        self._left[ended] = 0

    def reseed(self, stream: SeedSequence) -> None:
        """Begin with new pieces from a stream."""
        self._generator = generator(stream)
        self._left[:] = 0

    def state(self) -> dict[str, Any]:
        """Return all that drawing needs to continue, as a tree of JSON values and arrays."""
        return {
            "generator": generator_to_json(self._generator),
            "pieces": self._pieces.copy(),
            "left": self._left.tolist(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a `state`; ValueError where it is one of other environments."""
        restore_generator(self._generator, state["generator"])
        pieces, left = np.asarray(state["pieces"], np.float32), np.array(state["left"], np.int64)
        if pieces.shape != self._pieces.shape or left.shape != self._left.shape:
            raise ValueError(f"expected noise {self._pieces.shape}, got {pieces.shape}")
        if not ((left >= 0) & (left <= pieces.shape[1])).all():
            raise ValueError(f"expected at most {pieces.shape[1]} steps of noise, got {left}")
        self._pieces, self._left = pieces.copy(), left


def noise_for(
    kind: str, num_envs: int, size: int, stream: SeedSequence, hold: int = 1
) -> Noise | None:
    """Return what `train.noise` asks for, `size` numbers for an action; None: white."""
    return None if kind == "white" else Noise(kind, num_envs, size, stream, hold)
