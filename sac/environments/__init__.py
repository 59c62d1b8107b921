"""Environments as the rest of the library sees them: made, seeded, vectorized, never autoreset."""

from sac.environments.make import make_vector_environment, separate_source
from sac.environments.vector import Episode, Step, VectorEnvironment

__all__ = [
    "Episode",
    "Step",
    "VectorEnvironment",
    "make_vector_environment",
    "separate_source",
]
