"""Making tensors: dtypes, shapes, shared and copied memory, refusals."""

from typing import Any

import numpy as np
import pytest

from autograd import tensor
from tests.autograd.untyped import torch as autograd


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1, "int64", ()),
        (1.0, "float32", ()),
        (True, "bool", ()),
        ([1, 2.0], "float32", (2,)),
        ([True, 2], "int64", (2,)),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        ([[1.5], [2]], "float32", (2, 1)),
        (range(3), "int64", (3,)),
        (np.zeros((2, 1)), "float64", (2, 1)),
        (np.float64(1), "float64", ()),
        ([np.float64(1), 2], "float64", (2,)),
        ([np.float32(1)], "float32", (1,)),
        ([np.int16(1)], "int16", (1,)),
        (np.array([1], np.int8), "int8", (1,)),
    ],
)
def test_dtype_of_data(data: Any, dtype: str, shape: tuple[int, ...]) -> None:
    made = tensor(data)
    assert str(made.dtype) == f"torch.{dtype}"
    assert made.shape == shape


def test_tensors_in_lists_keep_their_dtype() -> None:
    double = tensor(1.0, dtype=autograd.float64)
    assert tensor([double, 2.5]).dtype is autograd.float64
    assert tensor([tensor(1), 2.5]).tolist() == [1.0, 2.5]
    assert tensor([tensor([1])]).tolist() == [[1]]


def test_lists_of_arrays_work_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="extremely slow"):
        made = tensor([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    assert made.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert made.dtype is autograd.float64


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ([[1, 2], [3]], ValueError, "expected sequence of length 2 at dim 1 (got 1)"),
        ([[1, 2], 3], TypeError, "not a sequence"),
        ([1, [2]], TypeError, "'list' object cannot be interpreted as an integer"),
        ("a", TypeError, "new(): invalid data type 'str'"),
        (["a"], TypeError, "new(): invalid data type 'str'"),
        (None, RuntimeError, "Could not infer dtype of NoneType"),
        ([None], RuntimeError, "Could not infer dtype of NoneType"),
        ({1: 2}, RuntimeError, "Could not infer dtype of dict"),
        (2**63, ValueError, "Overflow when unpacking long long"),
        (np.array(["a"]), TypeError, "can't convert np.ndarray of type"),
        (1j, RuntimeError, "Could not infer dtype of complex: autograd does not offer complex"),
    ],
)
def test_data_that_is_refused(data: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        tensor(data)
    assert text in str(raised.value)


def test_numbers_that_do_not_fit_a_dtype() -> None:
    with pytest.raises(RuntimeError, match="without overflow"):
        tensor(300, dtype=autograd.uint8)
    assert tensor(-1, dtype=autograd.uint8).item() == 255
    assert tensor([1.7, -1.7], dtype=autograd.int32).tolist() == [1, -1]
    with pytest.raises(RuntimeError, match="without overflow"):
        autograd.full((2,), 300, dtype=autograd.uint8)
    assert autograd.full_like(autograd.ones(1, dtype=autograd.uint8), -9).item() == 247


def test_memory_is_shared_or_copied() -> None:
    array = np.ones(2)
    copied, shared, also = tensor(array), autograd.from_numpy(array), autograd.as_tensor(array)
    cast = autograd.as_tensor(array, dtype=autograd.float32)
    array[0] = 5
    assert copied.tolist() == cast.tolist() == [1, 1]
    assert shared.tolist() == also.tolist() == [5, 1]
    source = autograd.ones(2)
    assert autograd.as_tensor(source) is source
    assert tensor(source).data_ptr() != source.data_ptr()


def test_a_copy_of_a_tensor_has_no_history() -> None:
    source = autograd.ones(2, requires_grad=True) * 2
    assert not tensor(source).requires_grad


def test_arrays_that_cannot_be_shared() -> None:
    with pytest.raises(ValueError, match="stride in the given numpy array is negative"):
        autograd.from_numpy(np.arange(3)[::-1])
    with pytest.raises(ValueError, match="byte order"):
        autograd.from_numpy(np.zeros(2, ">f4"))
    with pytest.raises(TypeError, match=r"expected np.ndarray \(got list\)"):
        autograd.from_numpy([1])


def test_only_floating_point_needs_gradients() -> None:
    text = "Only Tensors of floating point and complex dtype can require gradients"
    with pytest.raises(RuntimeError, match=text):
        tensor([1], requires_grad=True)
    with pytest.raises(RuntimeError, match=text):
        autograd.zeros(2, dtype=autograd.bool, requires_grad=True)
    with autograd.no_grad():
        assert autograd.zeros(2, requires_grad=True).requires_grad


def test_sizes_in_every_form() -> None:
    for made in (autograd.zeros(2, 3), autograd.zeros((2, 3)), autograd.zeros([2, 3]),
                 autograd.ones(size=(2, 3)), autograd.randn(size=(2, 3))):  # fmt: skip
        assert made.shape == (2, 3)
        assert made.dtype is autograd.float32
    assert autograd.zeros(tensor(2)).shape == (2,)
    assert autograd.ones(()).item() == 1
    assert autograd.empty(0, 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("size", "error", "text"),
    [
        ((), TypeError, 'missing 1 required positional arguments: "size"'),
        ((2.5,), TypeError, "argument 'size' (position 1) must be tuple of ints, not float"),
        ((True,), TypeError, "must be tuple of ints, not bool"),
        ((2, "a"), TypeError, "failed to unpack the object at pos 2"),
        (([2, 3.0],), TypeError, "type must be tuple of ints,but got float"),
        ((-1,), RuntimeError, "Dimension size must be non-negative"),
    ],
)
def test_sizes_that_are_refused(size: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as raised:
        autograd.zeros(*size)
    assert text in str(raised.value)


def test_fill_values_decide_on_the_dtype() -> None:
    dtypes = [autograd.full((1,), value).dtype for value in (1, 1.5, True, tensor(2.0))]
    assert dtypes == [autograd.int64, autograd.float32, autograd.bool, autograd.float32]
    with pytest.raises(TypeError, match="must be tuple of ints, not int"):
        autograd.full(2, 1)
    with pytest.raises(TypeError, match="must be Number, not NoneType"):
        autograd.full((2,), None)


@pytest.mark.parametrize(
    "name", ["zeros_like", "ones_like", "empty_like", "rand_like", "randn_like"]
)
def test_likes_take_shape_dtype_and_layout(name: str) -> None:
    like = getattr(autograd, name)
    source = autograd.zeros(2, 3, dtype=autograd.float64, requires_grad=True)
    assert like(source).dtype is autograd.float64
    assert like(source).shape == (2, 3)
    assert not like(source).requires_grad
    assert like(source, dtype=autograd.float32, requires_grad=True).requires_grad
    with pytest.raises(TypeError, match="must be Tensor, not list"):
        like([1])


def test_likes_keep_the_order_in_memory() -> None:
    assert autograd.zeros_like(autograd.zeros(2, 3).t()).stride() == (1, 3)


def test_arange() -> None:
    assert autograd.arange(3).tolist() == [0, 1, 2]
    assert autograd.arange(3).dtype is autograd.int64
    assert autograd.arange(3.0).dtype is autograd.float32
    assert autograd.arange(3, 0, -1).tolist() == [3, 2, 1]
    assert autograd.arange(start=1, end=3).tolist() == [1, 2]
    assert autograd.arange(5, dtype=autograd.float16).dtype is autograd.float16
    np.testing.assert_allclose(autograd.arange(1, 2, 0.3).numpy(), [1, 1.3, 1.6, 1.9], rtol=1e-6)
    with pytest.raises(RuntimeError, match="step must be nonzero"):
        autograd.arange(0, 3, 0)
    with pytest.raises(RuntimeError, match="upper bound and lower bound inconsistent"):
        autograd.arange(3, 1)


def test_linspace() -> None:
    assert autograd.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert autograd.linspace(0, 1, 1).tolist() == [0]
    assert autograd.linspace(0, 1, 0).tolist() == []
    assert autograd.linspace(0, 10, 5, dtype=autograd.int64).tolist() == [0, 2, 5, 7, 10]
    assert autograd.linspace(-0.1, 0.3, 7)[-1].item() == np.float32(0.3)
    with pytest.raises(RuntimeError, match="number of steps must be non-negative"):
        autograd.linspace(0, 1, -1)
    with pytest.raises(
        TypeError, match=r"invalid combination of arguments - got \(int, int, float"
    ):
        autograd.linspace(0, 1, 2.0)
    with pytest.raises(RuntimeError, match=r"got start with 1 dimension\(s\)\.$"):
        autograd.linspace(autograd.zeros(1), 1, 2)


def test_eye() -> None:
    assert autograd.eye(2, 3, dtype=autograd.int64).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(RuntimeError, match="n must be greater or equal to 0, got -1"):
        autograd.eye(-1)


def test_legacy_constructor() -> None:
    assert autograd.Tensor(2, 3).shape == (2, 3)
    assert autograd.Tensor([1, 2]).tolist() == [1.0, 2.0]
    assert autograd.Tensor((2, 3)).tolist() == [2.0, 3.0]
    assert autograd.Tensor(autograd.Size([2])).shape == (2,)
    assert autograd.Tensor().shape == (0,)
    assert autograd.Tensor(np.arange(2)).dtype is autograd.float32
    with pytest.raises(TypeError, match=r"new\(\): data must be a sequence \(got float\)"):
        autograd.Tensor(2.5)


def test_new_tensors_are_like_the_first() -> None:
    double = autograd.zeros(1, dtype=autograd.float64)
    for made in (double.new_zeros(2), double.new_ones((2,)), double.new_full((2,), 3),
                 double.new_tensor([1, 2]), double.new_empty(2)):  # fmt: skip
        assert made.dtype is autograd.float64
        assert made.shape == (2,)
    assert tensor(1).new_tensor([1.5]).tolist() == [1]
    assert double.new_ones(1, dtype=autograd.int64, device="cpu").dtype is autograd.int64


def test_a_missing_gpu_is_named() -> None:
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        autograd.zeros(2, device="cuda")
    with pytest.raises(TypeError, match=r"argument 'dtype' must be torch.dtype, not str"):
        autograd.zeros(2, dtype="float32")
