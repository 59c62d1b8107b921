"""Works of a peer, run by the Python of its own environment: `-m workers.peer sb3|sbx|torch`."""

import os
import sys
from functools import partial
from typing import Any

from . import serve, tensors

DISTRIBUTIONS = {
    "sb3": ["stable-baselines3", "torch", "numpy"],
    "sbx": ["sbx-rl", "jax", "numpy"],
    "torch": ["torch", "numpy"],
}


def main(peer: str) -> None:
    """Serve the works of one peer."""
    if peer == "torch":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        small_op, mlp = partial(tensors.small_op, torch), partial(tensors.mlp, torch)
        works: dict[str, Any] = {"small_op": small_op, "mlp": mlp}
    else:
        from . import peer_family, peer_models

        works = {
            "update": partial(peer_models.update, peer),
            "image_update": partial(peer_models.image_update, peer),
            "act": partial(peer_models.act, peer),
            "variant_update": partial(peer_family.variant_update, peer),
        }
    serve.serve(works, DISTRIBUTIONS[peer])


if __name__ == "__main__":
    main(sys.argv[1])
