"""What `import autograd as torch` gives, and what it says of the rest of torch."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, assert_type

import pytest

import autograd
from autograd import creation, dtypes, functional, random, ranges, serialization
from tests.autograd.untyped import torch as untyped

OFFERED = """
no_grad enable_grad set_grad_enabled inference_mode is_grad_enabled is_inference_mode_enabled
tensor as_tensor from_numpy zeros ones full empty arange linspace eye zeros_like ones_like
full_like empty_like rand randn randint randperm normal rand_like randn_like Generator
manual_seed Tensor
float16 float32 float64 int8 int16 int32 int64 uint8 bool half float double short int long
Size finfo iinfo is_tensor device dtype cuda
add sub mul div pow remainder fmod floor_divide eq ne lt le gt ge logical_and logical_or logical_not
exp expm1 log log1p sqrt rsqrt square abs sign neg reciprocal sin cos tanh atanh erf sigmoid floor
ceil round clamp minimum maximum lerp where masked_fill isnan isinf isfinite nan_to_num
sum mean var std prod min max amin amax argmin argmax any all logsumexp cumsum norm sort argsort
topk matmul mm bmm mv dot outer addmm tril triu einsum
reshape flatten squeeze unsqueeze transpose t permute broadcast_to cat stack split chunk unbind
gather scatter scatter_add index_select take_along_dim masked_select nonzero one_hot
softmax log_softmax relu allclose equal
nn optim utils distributions autograd grad backward Function set_detect_anomaly save load
""".split()

METHODS = """
data grad grad_fn requires_grad is_leaf shape ndim dtype device T mT _version
size dim numel item tolist numpy cpu cuda to type_as float double half long int bool clone detach
detach_ requires_grad_ retain_grad backward register_hook zero_ fill_ copy_ contiguous is_contiguous
add_ sub_ mul_ div_ pow_ clamp_ masked_fill_ scatter_ scatter_add_
reshape view flatten squeeze unsqueeze transpose t permute expand expand_as repeat split chunk
unbind matmul mm bmm mv dot outer addmm gather scatter scatter_add index_select masked_select
nonzero
sum mean var std prod min max argmin argmax any all logsumexp cumsum norm sort argsort topk
""".split()


@pytest.mark.parametrize("name", OFFERED)
def test_it_is_offered(name: str) -> None:
    assert getattr(autograd, name) is not None
    assert name in dir(autograd)


# Files of `functional` and functions that serve the package itself.
INTERNAL_ROOMS = """
broadcasting checks dunder fused index_parsing keywords return_types shape_methods subscript
""".split()
INTERNAL_FUNCTIONS = """
draw draw_kept drawn_probability gpu_generator made matmul_operator matrix_T number numpy_T
reduced_dims refuse_empty reshape_as source
""".split()


def offered_by_rooms() -> dict[str, Any]:
    """What the rooms hold for users: their public functions, and the dtypes."""
    rooms = [creation, random, ranges, serialization]
    for found in pkgutil.iter_modules(functional.__path__):
        if found.name not in INTERNAL_ROOMS:
            rooms.append(importlib.import_module(f"autograd.functional.{found.name}"))
    names = {n: v for n, v in vars(dtypes).items() if isinstance(v, dtypes.dtype)}
    for room in rooms:
        for name, value in vars(room).items():
            own = isinstance(value, FunctionType) and value.__module__ == room.__name__
            if own and not name.startswith("_") and name not in INTERNAL_FUNCTIONS:
                names[name] = value
    return names


def test_nothing_of_the_rooms_is_forgotten() -> None:
    for name, value in offered_by_rooms().items():
        assert inspect.unwrap(getattr(untyped, name)) is inspect.unwrap(value), name
        assert name in dir(autograd), name


def test_nothing_else_is_offered() -> None:
    """Beside the rooms' functions: classes, grad modes and numbers of torch's, and modules."""
    of_torch = """
    Function Generator Size Tensor backward detect_anomaly device dtype e enable_grad finfo grad
    gradcheck iinfo inf inference_mode is_anomaly_check_nan_enabled is_anomaly_enabled is_complex
    is_floating_point is_grad_enabled is_inference_mode_enabled is_signed is_tensor nan newaxis
    no_grad numel pi set_detect_anomaly set_grad_enabled
    """.split()
    modules = {n for n in dir(autograd) if isinstance(getattr(autograd, n), ModuleType)}
    helpers = {"FunctionType", "Any", "annotations", "TYPE_CHECKING"}
    assert set(dir(autograd)) - modules - helpers == {*of_torch, *offered_by_rooms()}


@pytest.mark.parametrize("name", METHODS)
def test_a_tensor_has_it(name: str) -> None:
    assert hasattr(autograd.Tensor, name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sofmax", "the nearest name is 'softmax'"),
        ("log_softmx", "the nearest name is 'log_softmax'"),
        ("complex64", "autograd does not offer complex numbers"),
        ("sparse_coo_tensor", "autograd does not offer sparse tensors"),
        ("quantize_per_tensor", "autograd does not offer quantised tensors"),
        ("autocast", "autograd does not offer bfloat16 or autocast"),
        ("compile", "autograd does not offer compilation"),
    ],
)
def test_the_rest_of_torch_is_named(name: str, text: str) -> None:
    with pytest.raises(AttributeError) as raised:
        getattr(autograd, name)
    assert text in str(raised.value)
    assert not hasattr(autograd, name)


@pytest.mark.parametrize(
    ("owner", "name", "text"),
    [
        (untyped.nn, "LSTM", "autograd does not offer recurrent networks"),
        (untyped.nn, "GRU", "autograd does not offer recurrent networks"),
        (untyped.nn, "LSTMCell", "autograd does not offer recurrent networks"),
        (untyped.autograd, "functional", "autograd does not offer double backward"),
        (untyped, "func", "autograd does not offer double backward"),
        (untyped, "jit", "autograd does not offer compilation"),
        (untyped, "view_as_complex", "autograd does not offer complex numbers"),
        (untyped.optim, "RMSProp", "the nearest name is 'RMSprop'"),
        (untyped.optim.lr_scheduler, "StepLr", "the nearest name is 'StepLR'"),
        (untyped.cuda, "Stream", "autograd does not offer it"),
        (untyped.cuda, "amp", "bfloat16 or autocast"),
        (untyped.random, "fork_rng", "autograd does not offer it"),
        (untyped.utils, "tensorboard", "autograd does not offer it"),
        (untyped.utils.data, "IterableDataset", "worker processes"),
    ],
)
def test_the_rest_of_the_rooms_is_named(owner: Any, name: str, text: str) -> None:
    with pytest.raises(AttributeError, match=text):
        getattr(owner, name)


def test_the_rest_of_a_tensor_is_named() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'sofmax'.*'softmax'"):
        _ = untyped.ones(2).sofmax
    with pytest.raises(AttributeError, match="does not offer sparse tensors"):
        _ = untyped.ones(2).to_sparse
    assert not hasattr(autograd.ones(2), "_missing")


def test_modules_are_torchs() -> None:
    assert autograd.float is autograd.float32
    assert autograd.is_tensor(autograd.ones(1))
    assert not autograd.is_tensor(1)
    assert autograd.autograd.grad is autograd.grad
    assert not autograd.cuda.is_available()
    assert autograd.cuda.device_count() == 0
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        autograd.cuda.synchronize()


def test_import_brings_only_what_is_needed() -> None:
    rooms = [f"autograd.{name}" for name in ("nn", "optim", "utils", "distributions")]
    late = [*rooms, "safetensors", "cupy"]
    program = f"import sys, autograd; print([m for m in {late} if m in sys.modules])"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_an_older_numpy_is_told_of_at_once() -> None:
    program = "import numpy; numpy.__version__ = '1.26.4'; import autograd"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: autograd needs NumPy 2.0 or later, and finds 1.26.4")


def test_type_checkers_see_the_types() -> None:
    for package in ("autograd", "sac"):
        assert (resources.files(package) / "py.typed").is_file()
    x = autograd.ones(2, 2)
    # Checked by mypy: nothing that users write most is Any.
    assert_type(x + 1, autograd.Tensor)
    assert_type(2 * x, autograd.Tensor)
    assert_type(x @ x, autograd.Tensor)
    assert_type(x.sum(), autograd.Tensor)
    assert_type(x[0].add_(1), autograd.Tensor)
    assert_type(x.double(), autograd.Tensor)
    assert_type(autograd.exp(x), autograd.Tensor)


def test_finfo_and_iinfo() -> None:
    single = autograd.finfo(autograd.float32)
    assert (single.eps, single.bits, single.dtype) == (2**-23, 32, "float32")
    assert single.tiny == single.smallest_normal == 2**-126
    assert str(single).startswith(
        "finfo(resolution=1e-06, min=-3.40282e+38, max=3.40282e+38, eps=1.19"
    )
    assert autograd.finfo().max == single.max
    assert autograd.iinfo(autograd.int8).min == -128
    assert (
        str(autograd.iinfo(autograd.int32))
        == "iinfo(min=-2.14748e+09, max=2.14748e+09, dtype=int32)"
    )
    with pytest.raises(TypeError, match=r"Use torch.iinfo"):
        autograd.finfo(autograd.int32)
    with pytest.raises(TypeError, match=r"Use torch.finfo"):
        autograd.iinfo(autograd.float32)


def test_size() -> None:
    size: Any = autograd.Size([2, 3])
    assert repr(size) == "torch.Size([2, 3])"
    assert size == (2, 3)
    assert size.numel() == 6
    derived = (size[1:], size + tuple([4]), tuple([1]) + size, size * 2)
    assert derived == ((3,), (2, 3, 4), (1, 2, 3), (2, 3, 2, 3))
    assert {type(d) for d in derived} == {autograd.Size}
    with pytest.raises(TypeError, match=r"takes an iterable of 'int' \(item 0 is 'float'\)"):
        autograd.Size([1.5])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("gpu", RuntimeError, "Expected one of cpu, cuda"),
        ("cuda:", RuntimeError, "Invalid device string"),
        ("cuda:x", RuntimeError, "Invalid device string"),
        ("", RuntimeError, "must not be empty"),
        (None, TypeError, "expected a string"),
    ],
)
def test_devices_that_are_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        autograd.device(text)


def test_devices() -> None:
    assert repr(autograd.device("cuda", 1)) == "device(type='cuda', index=1)"
    assert str(autograd.device("cuda:1")) == "cuda:1"
    assert autograd.device("cuda:1") == autograd.device(1)
    assert autograd.device(autograd.device("cpu")) == autograd.ones(1).device
    assert len({autograd.device("cpu"), autograd.device("cpu")}) == 1
    with pytest.raises(RuntimeError, match="must not include an index"):
        autograd.device("cuda:1", 1)
