"""Independent streams of random numbers from one seed, and their state as JSON."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

from sac.errors import CheckpointError

SPARE_STREAMS = 4  # for later consumers, which then do not change the streams before them


@dataclass(frozen=True)
class Streams:
    """One independent seed sequence for each consumer of randomness (`SeedSequence.spawn`)."""

    network: SeedSequence
    policy: SeedSequence  # actions inside updates
    exploration: SeedSequence  # actions in the environment
    replay: SeedSequence
    random_actions: SeedSequence
    train_env: SeedSequence
    eval_env: SeedSequence
    evaluation: SeedSequence  # actions of a stochastic policy under evaluation
    insight: SeedSequence  # batches and actions of the histograms
    critic: SeedSequence  # choices of the critic inside updates
    noise: SeedSequence  # of actions in the environment, where it is correlated over steps
    demonstrations: SeedSequence  # which of them are in a batch
    augmentation: SeedSequence  # shifts of images inside updates
    spare: tuple[SeedSequence, ...]

    @classmethod
    def from_seed(cls, seed: int) -> "Streams":
        """Return the streams of `seed`, which is at least 0; they are the same every time."""
        names = [field.name for field in fields(cls) if field.name != "spare"]
        children = SeedSequence(seed).spawn(len(names) + SPARE_STREAMS)
        named = dict(zip(names, children, strict=False))
        return cls(**named, spare=tuple(children[len(names) :]))


def branch(sequence: SeedSequence, number: int) -> SeedSequence:
    """Return an independent stream for each number; 0 is the stream itself."""
    if number == 0:
        return sequence
    return SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, number))


def generator(sequence: SeedSequence) -> Generator:
    """Return a new generator at the start of a stream."""
    return Generator(np.random.PCG64(sequence))


def integer_seed(sequence: SeedSequence) -> int:
    """Return a seed of 31 bits from a stream, for Gymnasium's environments and for Optuna."""
    return int(sequence.generate_state(1, np.uint32)[0] >> 1)


def generator_to_json(source: Generator) -> dict[str, Any]:
    """Return the state of a PCG64 generator as a JSON document."""
    state = source.bit_generator.state
    return {**state, "state": dict(state["state"])}


def restore_generator(target: Generator, document: Any) -> None:
    """Set a generator to a state from `generator_to_json`; CheckpointError for a wrong one."""
    try:
        target.bit_generator.state = document
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"not the state of a random generator: {document!r:.200}") from error


def seed_globals(seed: int) -> None:
    """Seed NumPy's and Python's generators of the whole process, which some environments use."""
    np.random.seed(seed % 2**32)
    random.seed(seed)


@contextmanager
def globals_kept() -> Iterator[None]:
    """Leave the generators of the whole process as they were: the user's, or another episode's."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
