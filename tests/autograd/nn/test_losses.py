"""Losses: values by hand, reductions, warnings, refusals."""

import numpy as np
import pytest

from autograd import nn
from tests.autograd.untyped import torch

F = nn.functional

X = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.0, -2.0]])
Y = torch.tensor([[0.0, 1.0, 2.0], [1.5, -3.0, 0.0]])
LOG_PROBS = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]).log()
CLASSES = torch.tensor([0, 2])


@pytest.mark.parametrize(
    ("module", "each"),
    [
        (nn.MSELoss, [0.25, 4, 0, 0.25, 9, 4]),
        (nn.L1Loss, [0.5, 2, 0, 0.5, 3, 2]),
        (nn.SmoothL1Loss, [0.125, 1.5, 0, 0.125, 2.5, 1.5]),
        (nn.HuberLoss, [0.125, 1.5, 0, 0.125, 2.5, 1.5]),
        (lambda **kwargs: nn.SmoothL1Loss(beta=2.0, **kwargs), [0.0625, 1, 0, 0.0625, 2, 1]),
        (lambda **kwargs: nn.HuberLoss(delta=2.0, **kwargs), [0.125, 2, 0, 0.125, 4, 2]),
        (lambda **kwargs: nn.SmoothL1Loss(beta=0.0, **kwargs), [0.5, 2, 0, 0.5, 3, 2]),
    ],
)
def test_values_and_reductions(module, each):
    loss = module(reduction="none")(X, Y)
    np.testing.assert_allclose(loss.numpy().ravel(), each, rtol=1e-6)
    np.testing.assert_allclose(module(reduction="sum")(X, Y).item(), np.sum(each), rtol=1e-6)
    np.testing.assert_allclose(module()(X, Y).item(), np.mean(each), rtol=1e-6)


def test_binary_losses_of_what_is_as_good_as_certain():
    x = torch.tensor([-20.0, 20.0, 0.0, -1000.0], requires_grad=True)
    y = torch.tensor([0.0, 1.0, 0.5, 1.0])
    loss = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    loss.sum().backward()
    np.testing.assert_allclose(loss.tolist(), [2.0611537e-9, 2.0611537e-9, np.log(2), 1000], 1e-6)
    np.testing.assert_allclose(x.grad.tolist(), [2.0611537e-9, -2.0611537e-9, 0, -1], 1e-6)
    assert F.binary_cross_entropy_with_logits(x, y.double()).dtype is torch.float64
    assert nn.BCEWithLogitsLoss(reduction="sum")(x, y).item() == loss.sum().item()


def test_weights():
    weight = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
    squares = (X - Y).numpy() ** 2 * weight.numpy()
    mse = F.mse_loss(X, Y, weight=weight)
    np.testing.assert_allclose(mse.item(), squares.sum() / 21, rtol=1e-6)
    total = F.l1_loss(X, Y, reduction="sum", weight=weight)
    np.testing.assert_allclose(total.item(), np.abs((X - Y).numpy() * weight.numpy()).sum())
    # torch divides this one by the number of elements, not by the weights.
    huber = F.huber_loss(X, Y, delta=100.0, weight=weight)
    np.testing.assert_allclose(huber.item(), squares.sum() / 12, rtol=1e-6)
    with pytest.raises(ValueError, match="Weights and input must have the same size"):
        F.mse_loss(X, Y, weight=weight[0])


def test_a_size_that_would_broadcast_warns():
    with pytest.warns(UserWarning, match=r"Using a target size \(torch.Size\(\[3\]\)\)"):
        F.mse_loss(X, Y[0])


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.smooth_l1_loss])
def test_dtype_of_a_single_target_counts(loss):
    """As in torch, which broadcasts first."""
    single = torch.tensor(0.5, dtype=torch.float64)
    assert loss(X, single).dtype is loss(single, X).dtype is torch.float64


def test_deprecated_arguments():
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        loss = F.mse_loss(X, Y, size_average=False)
    assert loss.item() == F.mse_loss(X, Y, reduction="sum").item()
    with pytest.warns(UserWarning, match="please use reduction='none' instead"):
        assert nn.L1Loss(reduce=False).reduction == "none"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.mse_loss(X, Y, reduction="avg"), ValueError, "avg is not a valid value"),
        (lambda: F.mse_loss(X.long(), Y.long()), NotImplementedError, "mse_cpu"),
        (lambda: F.huber_loss(X, Y, delta=0), RuntimeError, "non-positive values for delta"),
        (lambda: F.smooth_l1_loss(X, Y, beta=-1), RuntimeError, "negative values for beta"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_gradients_keep_each_dtype():
    x, y = X.clone().requires_grad_(), Y.double().requires_grad_()
    F.mse_loss(x, y).backward()
    assert x.grad.dtype is torch.float32
    assert y.grad.dtype is torch.float64
    np.testing.assert_allclose(x.grad.numpy(), -y.grad.numpy(), rtol=1e-6)


class TestClassification:
    def test_negative_log_likelihood(self):
        losses = -np.log([0.7, 0.3])
        assert torch.allclose(nn.NLLLoss()(LOG_PROBS, CLASSES), torch.tensor(losses.mean()).float())
        weighted = nn.NLLLoss(torch.tensor([1.0, 1, 3]))(LOG_PROBS, CLASSES)
        np.testing.assert_allclose(weighted.item(), losses @ [1, 3] / 4, rtol=1e-6)
        ignoring = F.nll_loss(LOG_PROBS, CLASSES, ignore_index=2, reduction="none")
        np.testing.assert_allclose(ignoring.numpy(), [losses[0], 0], rtol=1e-6)
        one = F.nll_loss(LOG_PROBS[0], CLASSES[0])
        np.testing.assert_allclose(one.item(), losses[0], rtol=1e-6)

    def test_cross_entropy_is_that_of_the_softmax(self):
        scores = LOG_PROBS + 5
        expected = F.nll_loss(LOG_PROBS, CLASSES)
        assert torch.allclose(nn.CrossEntropyLoss()(scores, CLASSES), expected)
        exact = nn.CrossEntropyLoss()(scores, F.one_hot(CLASSES, 3).float())
        assert torch.allclose(exact, expected)

    @pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
    @pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 0.5])])
    def test_smoothed_labels_are_probabilities(self, weight, reduction):
        smooth = 0.9 * F.one_hot(CLASSES, 3).float() + 0.1 / 3
        settings = {"reduction": reduction, "weight": weight}
        by_class = F.cross_entropy(X, CLASSES, label_smoothing=0.1, **settings)
        by_probability = F.cross_entropy(X, smooth, **settings)
        if weight is not None and reduction == "mean":
            # The mean over classes is weighted, the one over probabilities is not.
            by_probability = by_probability * 2 / weight[CLASSES].sum()
        assert torch.allclose(by_class, by_probability)
        again = F.cross_entropy(X, F.one_hot(CLASSES, 3).float(), label_smoothing=0.1, **settings)
        assert torch.allclose(again, F.cross_entropy(X, smooth, **settings))

    @pytest.mark.parametrize("reduction", ["sum", "mean"])
    def test_ignored_targets_alone_have_no_gradient(self, reduction):
        """As in torch, also where the mean of none is NaN."""
        x = torch.zeros(2, 3, requires_grad=True)
        loss = F.cross_entropy(x, torch.tensor([-100, -100]), reduction=reduction)
        loss.backward()
        assert bool(loss.isnan()) == (reduction == "mean")
        assert x.grad.tolist() == [[0, 0, 0], [0, 0, 0]]

    def test_smoothing_leaves_ignored_targets_out(self):
        kept = F.cross_entropy(X[:1], CLASSES[:1], label_smoothing=0.2)
        with_ignored = F.cross_entropy(X, CLASSES, label_smoothing=0.2, ignore_index=2)
        assert torch.allclose(kept, with_ignored)

    def test_nothing_to_average_is_nan(self):
        assert F.nll_loss(LOG_PROBS, torch.tensor([-100, -100])).isnan().item()
        assert F.nll_loss(LOG_PROBS, torch.tensor([-100, -100]), reduction="sum").item() == 0

    @pytest.mark.parametrize(
        ("call", "error", "text"),
        [
            (lambda: F.nll_loss(X, torch.tensor([0, 3])), IndexError, "Target 3 is out of bounds"),
            (lambda: F.nll_loss(X, CLASSES[:1]), ValueError, "to match target batch_size"),
            (lambda: F.nll_loss(X, CLASSES.float()), RuntimeError, "to be Long or Byte"),
            (lambda: F.nll_loss(X, CLASSES.unsqueeze(1)), RuntimeError, "multi-target"),
            (lambda: F.nll_loss(X, CLASSES, torch.ones(2)), RuntimeError, "for all 3 classes"),
            (lambda: F.nll_loss(X.long(), CLASSES), NotImplementedError, "Long"),
            (lambda: F.nll_loss(torch.tensor(1.0), CLASSES), ValueError, "Expected 1 or more"),
            (lambda: F.nll_loss(X[0], CLASSES), ValueError, "For 1D input"),
            (lambda: F.cross_entropy(X, CLASSES, label_smoothing=2.0), RuntimeError, "between 0.0"),
            (
                lambda: F.cross_entropy(X, X, ignore_index=1),
                RuntimeError,
                "not supported for float",
            ),
            (lambda: F.cross_entropy(X, X.long()), RuntimeError, "class probabilities"),
        ],
    )
    def test_refusals(self, call, error, text):
        with pytest.raises(error, match=text):
            call()
