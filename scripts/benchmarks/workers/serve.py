"""Answer requests for timed work, one JSON line each: what every process under measurement runs.

Standard library only, and nothing from the rest of the project: a peer's environment runs it too.

    {"do": "prepare", "key": ..., "work": name, "arguments": {...}}  builds the work
    {"do": "measure", "key": ..., "calls": n}         -> {"seconds": of all calls together}
    {"do": "measure each", "key": ..., "calls": n}    -> {"seconds": [of each call]}
    {"do": "examine", "key": ...}                     -> whatever else the work can tell of itself
    {"do": "forget", "key": ...}                      frees it
    {"do": "describe"}                                -> {"versions": {...}}
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from itertools import repeat
from typing import Any


def nothing() -> None:
    """What is to be waited for on a CPU, where all has been computed when a call returns."""


@dataclass(frozen=True)
class Work:
    """Something to call many times."""

    call: Callable[[], Any]
    finish: Callable[[], Any] = nothing  # waits for whatever the calls have only started
    mode: Callable[[], AbstractContextManager[Any]] = nullcontext  # surrounds all calls of a block
    examine: Callable[[], dict[str, Any]] = dict

    def measure(self, calls: int) -> float:
        """Return the seconds that `calls` calls take together."""
        call = self.call
        with self.mode():
            start = time.perf_counter()
            for _ in repeat(None, calls):
                call()
            self.finish()
            return time.perf_counter() - start

    def measure_each(self, calls: int) -> list[float]:
        """Return the seconds of each of `calls` calls."""
        return [self.measure(1) for _ in range(calls)]


Works = Mapping[str, Callable[..., Work]]


def serve(works: Works, distributions: list[str]) -> None:
    """Answer requests on stdin until it ends; `distributions` are those whose versions matter."""
    # Libraries greet on stdout; they must not get between the lines of the protocol.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    prepared: dict[str, Work] = {}
    for line in sys.stdin:
        try:
            reply = _answer(json.loads(line), works, distributions, prepared)
        except Exception as error:  # whatever it is, it goes to whoever asked
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


def _answer(
    request: dict[str, Any], works: Works, distributions: list[str], prepared: dict[str, Work]
) -> dict[str, Any]:
    action, key = request["do"], request.get("key", "")
    if action == "describe":
        return {"versions": {name: version(name) for name in distributions}}
    if action == "prepare":
        prepared[key] = works[request["work"]](**request["arguments"])
    elif action == "measure":
        return {"seconds": prepared[key].measure(request["calls"])}
    elif action == "measure each":
        return {"seconds": prepared[key].measure_each(request["calls"])}
    elif action == "examine":
        return prepared[key].examine()
    elif action == "forget":
        del prepared[key]
    else:
        raise ValueError(f"unknown request {action!r}")
    return {}
