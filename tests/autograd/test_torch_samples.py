"""torch's own sample inputs and error inputs of each operator, through torch and autograd, live.

Needs torch, and the package expecttest that torch's table of operators imports.
"""

import importlib
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd

pytestmark = pytest.mark.torch

DTYPES = ("float64", "float32", "int64", "uint8", "bool")
TOLERANCES = {"float64": {"rtol": 1e-9, "atol": 1e-10}, "float32": {"rtol": 2e-5, "atol": 1e-4}}

# Values that nobody can predict: shapes and dtypes are compared alone.
RANDOM = """
    empty empty_like normal rand_like randint randint_like randn randn_like
""".split()

ORDERS = {"sort", "topk"}
LEFT_OUT = {"in_place", "nuc"}  # variants: `normal_`, and the norm of singular values
OFFERED = """
    abs add addmm allclose amax amin all any arange argmax argmin atanh bmm broadcast_to
    cat ceil chunk clamp clone contiguous cos cumsum div dot double einsum empty empty_like eq
    equal erf exp expand expand_as expm1 eye flatten float floor floor_divide full
    full_like gather ge gt half index_select int isfinite isinf isnan le lerp linspace log log1p
    log_softmax logical_and logical_not logical_or logical_xor logsumexp long lt masked_fill
    masked_select matmul max maximum mean min minimum mm mul mv nan_to_num ne neg
    nn.functional.batch_norm nn.functional.conv2d nn.functional.cross_entropy nn.functional.elu
    nn.functional.gelu nn.functional.huber_loss nn.functional.l1_loss nn.functional.layer_norm
    nn.functional.leaky_relu nn.functional.linear nn.functional.logsigmoid
    nn.functional.mse_loss nn.functional.nll_loss nn.functional.one_hot nn.functional.relu
    nn.functional.silu nn.functional.smooth_l1_loss nn.functional.softplus nonzero norm normal
    ones ones_like outer permute pow prod rand_like randint randint_like randn randn_like
    reciprocal remainder repeat reshape round rsqrt scatter scatter_add sigmoid sign sin softmax
    sort split sqrt square squeeze stack std sub sum t take_along_dim tanh topk transpose unbind
    unsqueeze var view where zero_ zeros zeros_like __getitem__ __radd__ __rdiv__ __rmul__
    __rpow__ __rsub__ __rmod__ __rmatmul__
""".split()


def operators() -> list[Any]:
    """The rows of torch's table of operators that autograd offers too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = importlib.import_module("torch.testing._internal.common_methods_invocations")
    except ImportError:
        return []
    return [op for op in table.op_db if op.name in OFFERED and op.variant_test_name not in LEFT_OUT]


OPERATORS = operators()
IDS = [f"{op.name}.{op.variant_test_name}".rstrip(".") for op in OPERATORS]


def leaves(tree: Any) -> Iterator[Any]:
    """The tensors in nested arguments or results."""
    if hasattr(tree, "requires_grad"):
        yield tree
    elif isinstance(tree, list | tuple):
        for entry in tree:
            yield from leaves(entry)
    elif isinstance(tree, dict):
        yield from leaves(list(tree.values()))


def translate(tree: Any) -> Any:
    """Nested arguments for torch as arguments for autograd."""
    if hasattr(tree, "requires_grad"):
        array = np.array(tree.detach().numpy(), order="K")
        return autograd.from_numpy(array).requires_grad_(tree.requires_grad)
    if isinstance(tree, list | tuple):
        return type(tree)(translate(entry) for entry in tree)
    if isinstance(tree, dict):
        return {key: translate(entry) for key, entry in tree.items()}
    if isinstance(tree, slice | bool | int | float | str | type(None) | type(...)):
        return tree
    return getattr(autograd, str(tree).rpartition(".")[2])  # a dtype or a device


# Rows that torch's table calls in a form of its own.
FORMS: dict[str, Callable[..., Any]] = {
    "einsum": lambda operands, equation: autograd.einsum(equation, *operands),
    "where": lambda x, condition, other: autograd.where(condition, x, other),
    "zero_": lambda x: x.clone().zero_(),
    "__radd__": lambda x, other: other + x,
    "__rdiv__": lambda x, other: other / x,
    "__rmatmul__": lambda x, other: other @ x,
    "__rmod__": lambda x, other: other % x,
    "__rmul__": lambda x, other: other * x,
    "__rpow__": lambda x, other: other**x,
    "__rsub__": lambda x, other: other - x,
}


def offered(name: str) -> Callable[..., Any]:
    """The function of a name in autograd, or its method where there is no function."""
    if name in FORMS:
        return FORMS[name]
    found: Any = autograd
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if callable(found) else getattr(autograd.Tensor, name)


def outcome(function: Callable[..., Any], arguments: Any) -> Any:
    """What a call answers: its value or the exception that it raises."""
    (first, args, settings) = arguments
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(first, *args, **settings)
        except Exception as error:
            return error


def kind(value: Any) -> Any:
    """All of a result but its values."""
    if isinstance(value, Exception):
        return type(value).__name__
    if hasattr(value, "requires_grad"):
        dtype = str(value.dtype).rpartition(".")[2]
        return [dtype, list(value.shape), value.requires_grad, value.is_leaf, value.grad_fn is None]
    if isinstance(value, list | tuple):
        return [kind(entry) for entry in value]
    return type(value).__name__


def close(ours: Any, torchs: Any) -> bool:
    """Whether the values of two results of one kind agree."""
    pairs = list(zip(leaves(ours), leaves(torchs), strict=True))
    if not pairs:
        return bool(ours == torchs)

    def agree(a: Any, b: Any) -> bool:
        tolerance = TOLERANCES.get(str(b.dtype).rpartition(".")[2], {"rtol": 1e-3, "atol": 1e-3})
        return np.allclose(a.detach().numpy(), b.detach().numpy(), equal_nan=True, **tolerance)

    return all(agree(a, b) for a, b in pairs)


def backward(module: Any, result: Any) -> None:
    """Run backward from all results that have a gradient, each with its own fixed gradient."""
    roots = [leaf for leaf in leaves(result) if leaf.requires_grad]
    gradients = [np.cos(np.arange(r.numel()) + i).reshape(r.shape) for i, r in enumerate(roots)]
    with_dtype = [module.tensor(g, dtype=r.dtype) for g, r in zip(gradients, roots, strict=True)]
    if roots:
        module.autograd.backward(roots, with_dtype)


def difference(torch: Any, op: Any, sample: Any) -> str | None:
    """How autograd's answer to a sample differs from torch's."""
    inputs = (sample.input, sample.args, sample.kwargs)
    mine = translate(inputs)
    torchs, ours = outcome(op.op, inputs), outcome(offered(op.name), mine)
    if kind(ours) != kind(torchs):
        return f"{kind(ours)} {ours if isinstance(ours, Exception) else ''}, torch {kind(torchs)}"
    if isinstance(torchs, Exception) or op.name in RANDOM:
        return None
    if op.name in ORDERS and not sample.input.is_floating_point():
        ours, torchs = ours[0], torchs[0]  # the indices of equal entries come in any order
    if not close(ours, torchs):
        return f"{ours}, torch {torchs}"
    for leaf in leaves(inputs):
        leaf.grad = None  # samples share tensors
    backward(torch, torchs)
    try:
        backward(autograd, ours)
    except Exception as error:
        return f"backward raises {error!r}"
    for a, b in zip(leaves(mine), leaves(inputs), strict=True):
        if b.requires_grad and (a.grad is None) != (b.grad is None):
            return f"gradient {a.grad}, torch {b.grad}"
        if b.requires_grad and b.grad is not None and not close(a.grad, b.grad):
            return f"gradient {a.grad}, torch {b.grad}"
    return None


def is_comparable(sample: Any) -> bool:
    """Whether autograd offers all that a sample is made of: not complex, not `memory_format`."""
    try:
        translate((sample.input, sample.args, sample.kwargs))
    except (AttributeError, TypeError, ValueError):
        return False
    return "out" not in sample.kwargs


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", OPERATORS, ids=IDS)
def test_samples(op: Any, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    of_torch = getattr(torch, dtype)
    if not op.supports_dtype(of_torch, "cpu"):
        pytest.skip("torch has no samples of this dtype")
    with_gradient = of_torch.is_floating_point and op.supports_autograd
    samples = op.sample_inputs("cpu", of_torch, requires_grad=with_gradient)
    answers = [(s.summary(), difference(torch, op, s)) for s in samples if is_comparable(s)]
    found = [f"{summary}: {text}" for summary, text in answers if text]
    assert not found, "\n".join([f"{len(found)} samples differ:", *found])


@pytest.mark.parametrize("op", OPERATORS, ids=IDS)
def test_errors(op: Any) -> None:
    found = []
    if op.error_inputs_func is None or op.name in FORMS:
        pytest.skip("torch has no errors for this operator in its own form")
    for case in op.error_inputs("cpu"):
        sample = case.sample_input
        if not is_comparable(sample):
            continue
        inputs = (sample.input, sample.args, sample.kwargs)
        ours = outcome(offered(op.name), translate(inputs))
        if not isinstance(ours, case.error_type):
            found.append(
                f"{sample.summary()}: {ours!r}, but torch {case.error_type}: {case.error_regex}"
            )
        elif not re.search(case.error_regex, str(ours)):
            found.append(f"{sample.summary()}: message {ours}, but torch has {case.error_regex}")
    assert not found, "\n".join([f"{len(found)} errors differ:", *found])
