"""Closing of environments."""

import warnings
from typing import Any

from sac.errors import told


def close(env: Any) -> None:
    """Close a (vector) environment, or warn that this failed: what it was for is done by then."""
    try:
        env.close()
    except Exception as error:  # whatever an environment may raise
        warnings.warn(f"closing {env} failed: {told(error)}", RuntimeWarning, stacklevel=2)
