"""`utils.data`: data sets, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from autograd.creation import as_tensor, tensor
from autograd.dtypes import float64
from autograd.errors import NotOfferedError, missing_names
from autograd.functional.joining import stack
from autograd.generator import Generator
from autograd.random import randperm
from autograd.tensors.tensor import Tensor


class Dataset:
    """The base of data sets: `__getitem__(index)` returns an item, `__len__()` their number."""

    def __getitem__(self, index: Any) -> Any:
        """The item of this number."""
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")


class TensorDataset(Dataset):
    """Tuples of the elements of tensors at one place of their first dimension."""

    def __init__(self, *tensors: Tensor) -> None:
        """Raise AssertionError for tensors of different lengths."""
        if len({len(tensor) for tensor in tensors}) > 1:
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        """The elements of every tensor."""
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class DataLoader:
    """The batches of a data set, in order, or with `shuffle` in a new order each time.

    Items are loaded in this process: `num_workers` and `pin_memory` are not offered.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        *,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        """`sampler`: the indices in their order. `drop_last` leaves a smaller last batch out.

        `collate_fn` makes a batch of a list of items; by default `default_collate`.
        """
        for name, value in (("num_workers", num_workers), ("pin_memory", pin_memory)):
            if value:
                raise NotOfferedError(f"{name}={value}: autograd loads data in its own process")
        if not isinstance(batch_size, int) or batch_size <= 0:
            raise ValueError(
                f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            )
        if shuffle and sampler is not None:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = bool(shuffle)
        self.sampler = sampler
        self.collate_fn = default_collate if collate_fn is None else collate_fn
        self.drop_last = drop_last
        self.generator = generator

    def __len__(self) -> int:
        items: Any = self.dataset if self.sampler is None else self.sampler
        return (len(items) + (0 if self.drop_last else self.batch_size - 1)) // self.batch_size

    def __iter__(self) -> Iterator[Any]:
        indices = self.sampler
        if indices is None:
            count = len(self.dataset)
            shuffled = self.shuffle and randperm(count, generator=self.generator).tolist()
            indices = shuffled or range(count)
        remaining = iter(indices)
        while batch := list(islice(remaining, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn([self.dataset[index] for index in batch])


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack items to a batch: numbers, arrays and tensors, in tuples, lists and mappings.

    Python floats become float64, as in torch. Texts stay a list.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch))
    if isinstance(first, np.ndarray | np.generic):
        return stack([as_tensor(item) for item in batch])
    if isinstance(first, bool | int):
        return tensor(batch)
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, str | bytes):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([item[key] for item in batch]) for key in first}
    if isinstance(first, tuple | list):
        if any(len(item) != len(first) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [default_collate(column) for column in zip(*batch, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {type(first)}"
    )


__getattr__ = missing_names(__name__)
