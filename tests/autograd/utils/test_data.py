"""Data sets and their batches."""

from collections import namedtuple

import numpy as np
import pytest

from autograd.utils import data
from tests.autograd.untyped import torch

Pair = namedtuple("Pair", "x y")


def listed(batches):
    return [[part.tolist() for part in batch] for batch in batches]


def test_batches_of_tensors_in_order():
    dataset = data.TensorDataset(torch.arange(5.0), torch.arange(10).view(5, 2))
    assert len(dataset) == 5
    assert [part.tolist() for part in dataset[3]] == [3.0, [6, 7]]
    loader = data.DataLoader(dataset, batch_size=2)
    assert len(loader) == 3
    batches = list(loader)
    assert listed(batches) == [
        [[0, 1], [[0, 1], [2, 3]]], [[2, 3], [[4, 5], [6, 7]]], [[4], [[8, 9]]],
    ]  # fmt: skip
    assert type(batches[0]) is list
    shorter = data.DataLoader(dataset, 2, drop_last=True)
    assert len(shorter) == len(list(shorter)) == 2


def test_shuffled_batches_hold_every_item_once_and_follow_the_generator():
    dataset = data.TensorDataset(torch.arange(50))

    def orders(seed):
        generator = torch.Generator().manual_seed(seed)
        loader = data.DataLoader(dataset, 7, shuffle=True, generator=generator)
        return [torch.cat([x for (x,) in loader]).tolist() for _ in range(2)]

    first, second = orders(1)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert orders(1) == [first, second]
    torch.manual_seed(3)
    by_default = [x.item() for (x,) in data.DataLoader(dataset, shuffle=True)]
    torch.manual_seed(3)
    assert [x.item() for (x,) in data.DataLoader(dataset, shuffle=True)] == by_default


def test_a_sampler_says_which_items_and_in_which_order():
    loader = data.DataLoader([10, 11, 12], 2, sampler=[2, 2, 0])
    assert [batch.tolist() for batch in loader] == [[12, 12], [10]]
    assert len(loader) == 2


@pytest.mark.parametrize(
    ("items", "dtype"),
    [
        ([1, 2], torch.int64), ([1.0, 2.0], torch.float64), ([True, False], torch.bool),
        ([np.float32(1), np.float32(2)], torch.float32),
        (np.ones((2, 3), np.float32), torch.float32),
        (torch.ones(2, 3, dtype=torch.float16), torch.float16),
    ],
)  # fmt: skip
def test_dtypes_of_batches(items, dtype):
    (batch,) = data.DataLoader(items, batch_size=2)
    assert batch.dtype is dtype
    assert batch.tolist() == [item if isinstance(item, int | float) else item.tolist()
                              for item in items]  # fmt: skip


def test_nested_items():
    items = [{"a": 1, "b": ("x", Pair(1.0, [2, 3]))}, {"a": 2, "b": ("y", Pair(4.0, [5, 6]))}]
    (batch,) = data.DataLoader(items, batch_size=2)
    text, pair = batch["b"]
    assert (batch["a"].tolist(), text, type(pair)) == ([1, 2], ["x", "y"], Pair)
    assert (pair.x.tolist(), [v.tolist() for v in pair.y]) == ([1.0, 4.0], [[2, 5], [3, 6]])
    (own,) = data.DataLoader([1, 2], 2, collate_fn=sum)
    assert own == 3
    assert list(data.DataLoader([])) == []


def test_a_data_set_of_ones_own():
    class Squares(data.Dataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return index, float(index**2)

    assert listed(data.DataLoader(Squares(), 3)) == [[[0, 1, 2], [0, 1, 4]]]
    with pytest.raises(NotImplementedError, match="should implement __getitem__"):
        data.Dataset()[0]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: data.DataLoader([1], 0), ValueError, "batch_size should be a positive integer"),
        (lambda: data.DataLoader([1], shuffle=True, sampler=[0]), ValueError, "mutually exclusive"),
        (lambda: data.DataLoader([1], num_workers=2), NotImplementedError, "num_workers=2"),
        (lambda: data.DataLoader([1], pin_memory=True), NotImplementedError, "pin_memory=True"),
        (lambda: data.TensorDataset(torch.ones(2), torch.ones(3)), AssertionError, "mismatch"),
        (lambda: list(data.DataLoader([None])), TypeError, "found <class 'NoneType'>"),
        (lambda: list(data.DataLoader([[1], [1, 2]], 2)), RuntimeError, "should be of equal size"),
        (lambda: list(data.DataLoader([torch.ones(1), torch.ones(2)], 2)), RuntimeError,
         "stack expects each tensor to be equal size"),
    ],
)  # fmt: skip
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()
