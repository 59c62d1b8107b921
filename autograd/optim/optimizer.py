"""`Optimizer`: parameter groups with their settings, and the state of each parameter."""

from __future__ import annotations

import copy
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypedDict

from autograd.engine.capture import effect
from autograd.engine.grad_mode import enable_grad
from autograd.errors import NotOfferedError
from autograd.nn.parameter import type_name
from autograd.tensors.tensor import Tensor


class Optimizer:
    """The base of all optimizers: `param_groups` (settings) and `state` (by parameter).

    As in torch, code that looks for numbers that are not finite may set `found_inf`: while it holds
    1, a step of Adam changes nothing.
    """

    found_inf: Tensor | None = None

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        """`params`: tensors, (name, tensor) pairs, or dictionaries that override `defaults`."""
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type_name(params)}"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize more parameters, with settings of their own where `param_group` names them."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params, names = _named(param_group["params"])
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is "
                    + type_name(param)
                )
            if param.grad_fn is not None and not param.retains_grad:
                raise ValueError("can't optimize a non-leaf Tensor")
        group = {**param_group, "params": params}
        if names:
            group["param_names"] = names
        for key, value in self.defaults.items():
            group.setdefault(key, value)
        if len(set(map(id, params))) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; "
                "in future, this will cause an error",
                UserWarning,
                stacklevel=3,
            )
        if {id(p) for p in self._params()} & {id(p) for p in params}:
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(group)

    # -- steps ----------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once; return what `closure`, called first in grad mode, returns."""
        raise NotImplementedError

    @effect
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients, or fill them with zeros."""
        for param in self._params():
            if set_to_none:
                param._grad = None
            elif param._grad is not None:
                param._grad.detach_().zero_()

    # -- state ----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """`state` and `param_groups`, with the parameters replaced by their numbers."""
        numbers: dict[int, int] = {}
        for param in self._params():
            numbers.setdefault(id(param), len(numbers))
        groups = [
            {**{k: v for k, v in group.items() if k != "params"},
             "params": [numbers[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]  # fmt: skip
        state = {(numbers[id(k)] if isinstance(k, Tensor) else k): v for k, v in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load settings and state; ValueError if the groups do not match."""
        saved_groups = copy.deepcopy(state_dict["param_groups"])
        if len(saved_groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        for saved, group in zip(saved_groups, self.param_groups, strict=True):
            if len(saved["params"]) != len(group["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    "optimizer's group"
                )
        numbers = [number for group in saved_groups for number in group["params"]]
        param_of = dict(zip(numbers, self._params(), strict=True))
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, values in state_dict["state"].items():
            if key in param_of:
                state[param_of[key]] = {
                    name: _as_state_of(param_of[key], name, value) for name, value in values.items()
                }
            else:
                state[key] = values
        groups = [
            {**saved, "params": group["params"]}
            for saved, group in zip(saved_groups, self.param_groups, strict=True)
        ]
        self.__setstate__({"state": state, "param_groups": groups})

    def _with_gradients(self) -> Iterator[tuple[Tensor, dict[str, Any]]]:
        """The parameters that have a gradient, each with its group."""
        for group in self.param_groups:
            for param in group["params"]:
                if param._grad is not None:
                    yield param, group

    def _params(self) -> Iterator[Tensor]:
        return (param for group in self.param_groups for param in group["params"])

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for group in self.param_groups:
            for key, value in self.defaults.items():
                group.setdefault(key, value)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines += ["", f"Parameter Group {number}"] if number else ["Parameter Group 0"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def run_closure(closure: Callable[[], Any] | None) -> Any:
    """Run the closure with grad mode on, and return its value; None without one."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def number(value: Any) -> float:
    """Return a setting, which may be a tensor, as a Python number."""
    return value.item() if isinstance(value, Tensor) else value


def check_at_least_zero(**settings: Any) -> None:
    """Raise ValueError for a negative setting (or NaN), under the name that torch gives it."""
    for name, value in settings.items():
        if not 0.0 <= value:
            raise ValueError(f"Invalid {name.replace('__', ' ')}: {value}")


class Implementation(TypedDict, total=False):
    """Settings that choose between implementations of a step in torch; here there is one."""

    foreach: bool | None
    fused: bool | None
    differentiable: bool


def checked_implementation(
    foreach: bool | None = None, fused: bool | None = None, differentiable: bool = False
) -> dict[str, Any]:
    """Return the settings of `Implementation`; raise for those that would change a result."""
    if foreach and fused:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if differentiable:
        raise NotOfferedError(
            "differentiable=True: autograd does not offer steps that are recorded"
        )
    return {"foreach": foreach, "differentiable": differentiable, "fused": fused}


def _named(params: Any) -> tuple[list[Any], list[str]]:
    """Return the parameters of a group, and their names if they have names."""
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of "
            "tensors in sets will change between runs. Please use a list instead."
        )
    entries = [params] if isinstance(params, Tensor) else list(params)
    named = [entry for entry in entries if isinstance(entry, tuple)]
    if not named:
        return entries, []
    if len(named) != len(entries):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return [param for _, param in named], [name for name, _ in named]


def _as_state_of(param: Tensor, name: str, value: Any) -> Any:
    """Convert a loaded value to its parameter's dtype and device; `step` keeps its dtype."""
    if not isinstance(value, Tensor):
        return value
    if name == "step" or not param.is_floating_point():
        return value.to(param.device)
    return value.to(device=param.device, dtype=param.dtype)
