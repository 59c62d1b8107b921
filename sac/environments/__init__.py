"""Environments as the rest of the library sees them: made, seeded, vectorized, never autoreset."""

from sac.environments.make import make_vector_environment, separate_source
from sac.environments.stepping.vector import Episode, Restored, Step, VectorEnvironment

__all__ = [
    "Episode",
    "Restored",
    "Step",
    "VectorEnvironment",
    "make_vector_environment",
    "separate_source",
]
