"""Environments for the rest of the library: made, seeded, vectorized, without autoreset modes."""

from sac.environments.make import make_vector_environment
from sac.environments.separate import require_distinct, separate_source
from sac.environments.stepping.vector import Episode, Restored, Step, VectorEnvironment

__all__ = [
    "Episode",
    "Restored",
    "Step",
    "VectorEnvironment",
    "make_vector_environment",
    "require_distinct",
    "separate_source",
]
