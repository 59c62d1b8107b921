"""Activations, losses and layers as functions, with gradients."""

from tests.autograd.torch_reference.registry import (
    case,
    each,
    each_gradient,
    positive,
    wave,
)


@case
def activations(torch):
    return each_gradient(
        torch,
        """
        F.relu(x)
        torch.relu(x)
        F.leaky_relu(x)
        F.leaky_relu(x, negative_slope=0.2)
        F.elu(x)
        F.elu(x, alpha=0.5)
        F.gelu(x)
        F.gelu(x, approximate="tanh")
        F.silu(x)
        F.tanh(x)
        F.sigmoid(x)
        F.softplus(x)
        F.softplus(x, beta=2.0)
        F.logsigmoid(x)
        """,
        x=wave(torch, 4, scale=2.5),
    )


@case
def softmaxes(torch):
    return each_gradient(
        torch,
        """
        F.softmax(x, dim=-1)
        F.softmax(x, 0)
        torch.softmax(x, 1)
        x.softmax(dim=1)
        F.log_softmax(x, dim=1)
        torch.log_softmax(x, 0)
        x.log_softmax(-1)
        F.log_softmax(x, 1, dtype=torch.float64)
        """,
        x=wave(torch, 2, 3, scale=3.0),
    )


@case
def log_softmax_of_extremes(torch):
    infinity = float("inf")
    x = torch.tensor([[1000.0, 0.0], [1.0, -infinity], [-1e30, 1e30]], requires_grad=True)
    return each_gradient(torch, "F.log_softmax(x, 1)\nF.softmax(x, 1)", x=x)


@case
def linear(torch):
    return each_gradient(
        torch,
        """
        F.linear(x, w)
        F.linear(x, w, b)
        F.linear(x[0], w, b)
        F.linear(x.reshape(2, 1, 3), w, b)
        F.linear(x.detach(), w, b)
        F.linear(x, w.detach(), bias=b)
        """,
        x=wave(torch, 2, 3),
        w=wave(torch, 4, 3, shift=1.0),
        b=wave(torch, 4, shift=2.0),
    )


@case
def regression_losses(torch):
    return each_gradient(
        torch,
        """
        F.mse_loss(x, y)
        F.mse_loss(x, y, reduction="sum")
        F.mse_loss(x, y, reduction="none")
        F.l1_loss(x, y)
        F.l1_loss(x, y, reduction="none")
        F.smooth_l1_loss(x, y)
        F.smooth_l1_loss(x, y, beta=0.5, reduction="sum")
        F.smooth_l1_loss(x, y, beta=0.0)
        F.huber_loss(x, y)
        F.huber_loss(x, y, delta=0.5, reduction="none")
        F.huber_loss(x, y, "sum", 2.0)
        """,
        x=wave(torch, 2, 3),
        y=wave(torch, 2, 3, shift=2.0),
    )


@case
def regression_losses_at_kinks(torch):
    x = torch.tensor([-1.0, 0.0, 1.0, 2.0], requires_grad=True)
    return each_gradient(
        torch,
        """
        F.huber_loss(x, torch.zeros(4), reduction="none")
        F.smooth_l1_loss(x, torch.zeros(4), reduction="none")
        F.l1_loss(x, torch.zeros(4), reduction="none")
        F.huber_loss(x, torch.zeros(4), delta=2.0, reduction="sum")
        """,
        x=x,
    )


@case
def classification_losses(torch):
    return each_gradient(
        torch,
        """
        F.cross_entropy(x, torch.tensor([0, 2]))
        F.cross_entropy(x, torch.tensor([0, 2]), reduction="none")
        F.cross_entropy(x, torch.tensor([0, 2]), reduction="sum")
        F.cross_entropy(x, torch.tensor([0, 2]), weight=torch.tensor([1.0, 2.0, 3.0]))
        F.cross_entropy(x, torch.tensor([0, -100]))
        F.cross_entropy(x, torch.tensor([1, 2]), ignore_index=1)
        F.cross_entropy(x, torch.tensor([0, 2]), label_smoothing=0.1)
        F.cross_entropy(x, torch.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]))
        F.cross_entropy(x[0], torch.tensor(1))
        F.nll_loss(F.log_softmax(x, 1), torch.tensor([1, 1]))
        F.nll_loss(x, torch.tensor([1, 0]), reduction="none")
        F.nll_loss(x, torch.tensor([1, 0]), weight=torch.tensor([1.0, 2.0, 3.0]))
        """,
        x=wave(torch, 2, 3),
    )


@case
def binary_losses(torch):
    return each_gradient(
        torch,
        """
        F.binary_cross_entropy_with_logits(x, y)
        F.binary_cross_entropy_with_logits(x, y, reduction="none")
        F.binary_cross_entropy_with_logits(x, y, weight=w, reduction="sum")
        F.binary_cross_entropy_with_logits(x, y, w)
        F.binary_cross_entropy_with_logits(x, y, pos_weight=w)
        F.binary_cross_entropy_with_logits(x, y, pos_weight=p.detach(), reduction="none")
        F.binary_cross_entropy_with_logits(x.double(), y)
        F.binary_cross_entropy_with_logits(1000 * x, y, reduction="none")
        F.binary_cross_entropy_with_logits(x, y.long())
        F.binary_cross_entropy_with_logits(x.long(), y)
        F.binary_cross_entropy_with_logits(x, y[:1])
        F.binary_cross_entropy_with_logits(x, y, weight=w.expand(2, 2, 3))
        F.binary_cross_entropy_with_logits(x, y, weight=w[:2])
        nn.BCEWithLogitsLoss(w, pos_weight=p.detach(), reduction="sum")(x, y)
        """,
        x=wave(torch, 2, 3, scale=1.0),
        y=positive(torch, 2, 3) / 3,
        w=positive(torch, 3, requires_grad=False),
        p=positive(torch, 1, shift=1),
    )


@case
def embeddings(torch):
    return each_gradient(
        torch,
        """
        F.embedding(torch.tensor([0, 2, 2]), w)
        F.embedding(torch.tensor([[1], [0]], dtype=torch.int32), w)
        F.embedding(torch.tensor(1), w)
        F.embedding(torch.tensor([1, 2, 1]), w, padding_idx=-2)
        F.embedding(torch.zeros(0, 2, dtype=torch.int64), w)
        F.embedding(torch.tensor([3]), w)
        F.embedding(torch.tensor([-1]), w)
        F.embedding(torch.tensor([1.0]), w)
        F.embedding(torch.tensor([1]), w[0])
        F.embedding(torch.tensor([1]), w, 3)
        F.embedding([1], w)
        """,
        w=wave(torch, 3, 2),
    )


@case
def loss_arguments(torch):
    return each(
        torch,
        """
        F.mse_loss(x, torch.ones(2))
        F.mse_loss(x, torch.ones(2, 1))
        F.l1_loss(x, torch.ones(2, 1))
        F.mse_loss(x, x, reduction="max")
        F.mse_loss(x, x.double())
        F.huber_loss(x, x, delta=-1.0)
        F.smooth_l1_loss(x, x, beta=-1.0)
        F.cross_entropy(x, torch.tensor([0, 3]))
        F.cross_entropy(x, torch.tensor([0]))
        F.cross_entropy(x, torch.tensor([0, 1], dtype=torch.int32))
        F.cross_entropy(x, torch.tensor([0.5, 0.5]))
        F.nll_loss(x, torch.tensor([0, 5]))
        """,
        x=wave(torch, 2, 3, requires_grad=False),
    )


@case
def layer_norm(torch):
    return each_gradient(
        torch,
        """
        F.layer_norm(x, (3,))
        F.layer_norm(x, (3,), w, b)
        F.layer_norm(x, [2, 3])
        F.layer_norm(x, (3,), weight=w, eps=0.1)
        F.layer_norm(x[0], (3,), w, b)
        """,
        x=wave(torch, 2, 3),
        w=positive(torch, 3),
        b=wave(torch, 3, shift=2.0),
    )


@case
def batch_norm(torch):
    return each_gradient(
        torch,
        """
        F.batch_norm(x, None, None, training=True)
        F.batch_norm(x, torch.zeros(3), torch.ones(3), w, b, training=True)
        F.batch_norm(x, torch.ones(3), torch.full((3,), 4.0), w, b)
        F.batch_norm(x.reshape(2, 3, 2), torch.zeros(3), torch.ones(3), training=True)
        """,
        x=wave(torch, 4, 3),
        w=positive(torch, 3),
        b=wave(torch, 3, shift=2.0),
    )


@case
def conv2d(torch):
    return each_gradient(
        torch,
        """
        F.conv2d(x, w)
        F.conv2d(x, w, b)
        F.conv2d(x, w, b, stride=2)
        F.conv2d(x, w, stride=(1, 2), padding=1)
        F.conv2d(x, w, padding=(0, 1))
        F.conv2d(x, w, dilation=2)
        F.conv2d(x, w[:, :1], b, groups=2)
        F.conv2d(x, w, padding="valid")
        F.conv2d(x[0], w, b)
        """,
        x=wave(torch, 1, 2, 4, 3),
        w=wave(torch, 2, 2, 2, 2, shift=1.0),
        b=wave(torch, 2, shift=2.0),
    )


@case
def conv2d_arguments(torch):
    return each(
        torch,
        """
        F.conv2d(x, torch.ones(1, 3, 2, 2))
        F.conv2d(x, torch.ones(1, 2, 5, 5))
        F.conv2d(torch.ones(2, 2), torch.ones(1, 2, 2, 2))
        F.conv2d(x, torch.ones(1, 2, 2, 2), stride=0)
        F.conv2d(x, torch.ones(1, 2, 2, 2), padding=-1)
        F.conv2d(x, torch.ones(1, 2, 2, 2).double())
        """,
        x=torch.ones(1, 2, 3, 3),
    )


@case
def dropout(torch):
    x = torch.ones(1000)
    dropped = torch.nn.functional.dropout(x, 0.25)
    share = (dropped == 0).float().mean().item()
    return [
        sorted(set(dropped.tolist())),
        abs(share - 0.25) < 0.1,
        torch.nn.functional.dropout(x, 0.5, training=False) is x,
        torch.nn.functional.dropout(x[:3], 1.0),
        torch.nn.functional.dropout(x[:3], p=0.0),
    ]


@case
def dropout_gradient_has_the_same_mask(torch):
    x = torch.ones(100, requires_grad=True)
    y = torch.nn.functional.dropout(x, 0.5)
    y.sum().backward()
    return torch.equal(y.detach(), x.grad)
