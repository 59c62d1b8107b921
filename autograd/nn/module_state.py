"""`Module.state_dict()` and `Module.load_state_dict()`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autograd.backend import place
from autograd.nn.parameter import Parameter
from autograd.tensors.tensor import Tensor


class IncompatibleKeys(
    NamedTuple(
        "_IncompatibleKeys", [("missing_keys", list[str]), ("unexpected_keys", list[str])]
    )
):  # fmt: skip
    """The names that a state dict lacks, and those that the module lacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


IncompatibleKeys.__name__ = "_IncompatibleKeys"  # torch's name, which its repr shows


def collect(module: Any, destination: Any, prefix: str, keep_vars: bool) -> Any:
    """Return the state of a module and all below: its own before that of its children."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()  # the version of every module, as in torch
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = {"version": module._version}
    for name, value in module._own_state():
        if value is not None:
            destination[prefix + name] = value if keep_vars else value.detach()
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(
                destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
            )
    return destination


def load(module: Any, state: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Load a state dict; raise RuntimeError with everything that does not fit."""
    if not isinstance(state, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state)}.")
    targets = dict(_targets(module, ""))
    missing = [name for name in targets if name not in state]
    unexpected = [name for name in state if name not in targets]
    messages = []
    if strict:
        messages += _name_messages(unexpected, missing)
    for name, (owner, own_name, target) in targets.items():
        if name in state:
            message = _mismatch(name, target, state[name])
            if message:
                messages.append(message)
            elif assign and hasattr(owner, own_name):  # not just a part of a parameter
                _assign(owner, own_name, target, state[name])
            else:
                _copy(target, state[name])
    if messages:
        lines = "\n\t".join(messages)
        raise RuntimeError(
            f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{lines}"
        )
    return IncompatibleKeys(missing, unexpected)


def _targets(module: Any, prefix: str) -> Iterator[tuple[str, tuple[Any, str, Tensor]]]:
    for name, value in module._own_state():
        if value is not None:
            yield prefix + name, (module, name, value)
    for name, child in module._modules.items():
        if child is not None:
            yield from _targets(child, f"{prefix}{name}.")


def _name_messages(unexpected: list[str], missing: list[str]) -> list[str]:
    def listed(names: list[str]) -> str:
        return ", ".join(f'"{name}"' for name in names)

    messages = []
    if unexpected:
        messages.append(f"Unexpected key(s) in state_dict: {listed(unexpected)}. ")
    if missing:
        messages.append(f"Missing key(s) in state_dict: {listed(missing)}. ")
    return messages


def _mismatch(name: str, target: Tensor, value: Any) -> str:
    if not isinstance(value, Tensor):
        return (
            f'While copying the parameter named "{name}", expected torch.Tensor or Tensor-like '
            f"object from checkpoint but received {type(value)}"
        )
    if value.shape != target.shape:
        return (
            f"size mismatch for {name}: copying a param with shape {value.shape} from checkpoint, "
            f"the shape in current model is {target.shape}."
        )
    return ""


def _assign(owner: Any, name: str, target: Tensor, value: Tensor) -> None:
    if isinstance(target, Parameter) and not isinstance(value, Parameter):
        value = Parameter(value, requires_grad=target.requires_grad)
    setattr(owner, name, value)


def _copy(target: Tensor, value: Tensor) -> None:
    """Copy in place: the target stays the same object of the same dtype; its version goes up."""
    if target._array is not value._array:
        target._array[...] = place(value._array, target.device)
    target._bump_version()
