"""Anomaly detection: backward names the forward line whose gradient failed or is NaN."""

from __future__ import annotations

import contextlib
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograd.backend import Array, backend_of
from autograd.engine.grad_mode import anomaly
from autograd.engine.node import Node

_PACKAGE = str(Path(__file__).parents[1])


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return anomaly.trace is not None


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection looks for NaN."""
    return anomaly.check_nan


class set_detect_anomaly:
    """Switch anomaly detection on or off from here on; as a context manager, until its end."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        """With `check_nan=False`, NaN is allowed and only failing gradients are traced."""
        self._before = anomaly.trace, anomaly.watch, anomaly.check_nan
        anomaly.trace = forward_trace if mode else None
        anomaly.watch = watch if mode else None
        anomaly.check_nan = check_nan

    def __enter__(self) -> None:
        """Do nothing: the constructor has switched detection on."""

    def __exit__(self, *exception: object) -> None:
        anomaly.trace, anomaly.watch, anomaly.check_nan = self._before


class detect_anomaly:
    """Detect anomalies inside a `with` block; slow, for debugging."""

    def __init__(self, check_nan: bool = True) -> None:
        """`check_nan`: look for NaN in every gradient."""
        self.check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            UserWarning,
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._mode = set_detect_anomaly(True, check_nan=self.check_nan)

    def __exit__(self, *exception: object) -> None:
        self._mode.__exit__()


def forward_trace() -> str:
    """The stack of lines that called an operation, without the lines of this package."""
    frames = [f for f in traceback.extract_stack() if not f.filename.startswith(_PACKAGE)]
    return "".join(traceback.format_list(frames))


def watch(node: Node, g: Array) -> Any:
    """Run a node; if it fails or returns NaN, report the forward line that made it."""
    try:
        results = node.run(g)
        if anomaly.check_nan:
            _check(node, results)
    except Exception:
        # A warning that is an error must not hide the error itself.
        with contextlib.suppress(Warning):
            warnings.warn(
                f"Error detected in {node.name()}. {_origin(node)}", UserWarning, stacklevel=4
            )
        raise
    return results


def _check(node: Node, results: Sequence[Array | None]) -> None:
    positions = [i for i, needed in enumerate(node.needs) if needed]
    for position, result in zip(positions, results, strict=True):
        if result is not None and backend_of(result).isnan(result).any():
            raise RuntimeError(
                f"Function '{node.name()}' returned nan values in its {position}th output. "
                + _origin(node)
            )


def _origin(node: Node) -> str:
    if node.extras is None or node.extras.trace is None:
        return (
            "No forward pass information available. Enable detect anomaly during forward pass for "
            "more information."
        )
    return f"Traceback of forward call that caused the error:\n{node.extras.trace}"
