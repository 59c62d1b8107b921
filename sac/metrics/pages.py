"""TensorBoard's pages of custom scalars, and its table HPARAMS.

The messages are built from the plugins' own definitions, as their helper functions need TensorFlow.
Call these functions after `sac.metrics.events.EventFile` has told TensorBoard to do without it.
"""

import json
import types
from typing import Any, Union, get_args, get_origin

from sac.config import Config
from sac.config.keys import list_keys, value_at

# The charts of each page, and the tags (regular expressions) that are drawn in each chart.
PAGES = {
    "Return": {
        "evaluation and training": ["eval/mean_return", "rollout/episode_return"],
        "evaluation: mean, best so far": ["eval/mean_return", "eval/best_return"],
        "success": ["eval/success_rate", "rollout/success_rate"],
        "episode length": ["rollout/episode_length"],
    },
    "Losses": {
        "soft Q": [r"train/q\d+_loss"],
        "policy": ["train/policy_loss"],
        "alpha": ["train/alpha_loss"],
    },
    "Q values": {"Q values against their target": [r"train/q\d+_mean", "train/target_q_mean"]},
    "Alpha and entropy": {
        "entropy against its target": ["train/entropy", "train/target_entropy"],
        "alpha": ["train/alpha"],
    },
    "Incidents": {
        "rollbacks after a number that was not finite": ["train/rollbacks"],
        "workers that died or hung": ["rollout/worker_restarts"],
    },
    "Throughput": {
        "environment steps per second": ["time/env_steps_per_second"],
        "updates per second": ["time/updates_per_second"],
    },
}
# These have no influence on what is learned, and would only widen the table.
LEFT_OUT = ("name", "logging.", "checkpoint.")


def layout_summary() -> Any:
    """Return the layout of the custom scalars, as a summary for an event file."""
    from tensorboard.compat.proto import summary_pb2, tensor_pb2, types_pb2
    from tensorboard.plugins.custom_scalar import layout_pb2, metadata

    categories = []
    for title, charts in PAGES.items():
        own = [_chart(name, tags) for name, tags in charts.items()]
        categories.append(layout_pb2.Category(title=title, chart=own))
    layout = layout_pb2.Layout(category=categories).SerializeToString()
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[layout])
    value = summary_pb2.Summary.Value(
        tag=metadata.CONFIG_SUMMARY_TAG, metadata=metadata.create_summary_metadata(), tensor=tensor
    )
    return summary_pb2.Summary(value=[value])


def _chart(title: str, tags: list[str]) -> Any:
    from tensorboard.plugins.custom_scalar import layout_pb2

    lines = layout_pb2.MultilineChartContent(tag=[f"^{tag}$" for tag in tags])
    return layout_pb2.Chart(title=title, multiline=lines)


def hparams_summary(config: Config, run_name: str) -> Any:
    """Return a run's row in HPARAMS, as a summary for an event file.

    TensorBoard finds the columns itself, and puts those first in which the runs differ. An
    `Experiment` would name them, but one run's would be taken for all runs.
    """
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb

    # The id gives each run its own row: by default, runs with the same values share one.
    return hparams_pb(hparams(config), trial_id=run_name)


def hparams(config: Config) -> dict[str, bool | float | str]:
    """Return the configuration by dotted key; a key has the same type in every run."""
    tree = config.to_dict()
    return {
        key.name: _value(value_at(tree, key.name), key.hint)
        for key in list_keys(Config)
        if not key.name.startswith(LEFT_OUT)
    }


def _value(value: Any, hint: Any) -> bool | float | str:
    """Return a bool or a number as it is if the key takes nothing else, any other value as text."""
    if hint is bool:
        return bool(value)
    is_union = get_origin(hint) in (Union, types.UnionType)
    kinds = get_args(hint) if is_union else (hint,)
    if all(kind in (int, float) for kind in kinds):
        return float(value)
    return value if isinstance(value, str) else json.dumps(value)
