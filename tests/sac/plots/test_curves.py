from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac.config import Config
from sac.errors import ConfigError
from sac.plots.curves import (
    Group,
    aggregate,
    aggregate_last,
    group_runs,
    moving_average,
    without_repeats,
)
from sac.plots.runs import Run


def run(
    seed: int = 0,
    *,
    env: str = "A",
    x: tuple[float, ...] = (1, 2, 3),
    values: tuple[float, ...] = (1, 2, 3),
    name: str = "r",
    **keys: object,
) -> Run:
    config = Config.from_dict({"env": {"id": env}, "seed": seed, **keys})
    return Run(Path(name), config, np.array(x, float), np.array(values, float))


def labels(groups: dict[str, list[Group]]) -> dict[str, list[str]]:
    return {environment: [group.label for group in own] for environment, own in groups.items()}


def test_without_keys_the_settings_that_differ_tell_curves_apart() -> None:
    runs = [
        run(0, agent={"gamma": 0.99}, name="a"),
        run(1, agent={"gamma": 0.9}, name="b"),
        run(2, agent={"gamma": 0.9}, train={"total_steps": 5000}, logging={"root": "x"}),
        run(0, env="B", agent={"hidden_sizes": [8]}, device="cpu"),
    ]
    groups = group_runs(runs, None)
    assert labels(groups) == {"A": ["gamma 0.9", "gamma 0.99"], "B": [""]}
    assert [len(group.runs) for group in groups["A"]] == [2, 1]


def test_settings_that_agree_in_six_digits_are_not_one() -> None:
    gammas = (0.999999, 0.9999994, 0.9999994)
    runs = [run(seed % 2, agent={"gamma": gamma}) for seed, gamma in enumerate(gammas)]
    (groups,) = group_runs(runs, None).values()
    assert [group.label for group in groups] == ["gamma 0.999999", "gamma 0.9999994"]
    assert [len(group.runs) for group in groups] == [1, 2]


def test_keys_that_change_nothing_that_is_learned_split_no_curve() -> None:
    keys: list[dict[str, Any]] = [
        {"env": {"step_timeout": 9.0}},
        {"train": {"compile": "never"}},
        {"train": {"buffer_device": "cpu"}},
        {"train": {"on_divergence": "stop"}},
    ]
    runs = [replace(run(i), config=run(i).config.merged(each)) for i, each in enumerate(keys)]
    assert labels(group_runs(runs, None)) == {"A": [""]}


def test_named_keys_alone_tell_curves_apart() -> None:
    runs = [
        run(0, agent={"gamma": 0.9, "tau": 0.1}),
        run(1, agent={"gamma": 0.99, "tau": 0.1, "alpha": 0.2}),
        run(2, agent={"gamma": 0.99, "tau": 1}),
    ]
    assert labels(group_runs(runs, ["env", "agent.tau"])) == {"A": ["tau 0.1", "tau 1"]}
    both = group_runs(runs, ["agent.alpha", "agent.gamma"])
    assert labels(both) == {"A": ["alpha 0.2, gamma 0.99", "alpha auto, gamma 0.9",
                                  "alpha auto, gamma 0.99"]}  # fmt: skip
    assert labels(group_runs(runs, ["env"])) == {"A": [""]}


def test_environment_arguments_and_names_can_be_keys() -> None:
    runs = [run(0, name="a"), run(1)]
    named = [Run(r.path, r.config.merged({"env": {"kwargs": {"g": i}}, "name": f"n{i}"}), r.x,
                 r.values) for i, r in enumerate(runs)]  # fmt: skip
    assert labels(group_runs(named, ["env.kwargs.g"])) == {"A": ["g 0", "g 1"]}
    assert labels(group_runs(named, ["name"])) == {"A": ["n0", "n1"]}


def of_presets(*names: str | None) -> list[Run]:
    """A run of the default agent, of simba and of crossq, with these names."""
    settings: list[dict[str, Any]] = [{}, {"preset": "simba"}, {"preset": "crossq"}]
    runs = [run(0, **keys) for keys in settings]
    return [
        replace(run, config=run.config.merged({"name": name}))
        for run, name in zip(runs, names, strict=True)
    ]


def test_names_are_labels_where_presets_would_make_long_ones() -> None:
    runs = of_presets("p", "p-simba", "p-crossq")
    assert labels(group_runs(runs, None)) == {"A": ["p", "p-crossq", "p-simba"]}
    assert labels(group_runs(runs, ["agent.critic"])) == {"A": ["critic crossq", "critic sac"]}


@pytest.mark.parametrize("names", [("p", "p", "q"), ("p", "q", None)])
def test_keys_stay_labels_where_names_tell_nothing(names: tuple[str | None, ...]) -> None:
    (groups,) = group_runs(of_presets(*names), None).values()
    assert len(groups) == 3
    assert all("critic" in group.label for group in groups)


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"agent\.gama.*nearest is agent\.gamma"):
        group_runs([run()], ["agent.gama"])


def test_numbers_are_in_order_of_size() -> None:
    runs = [run(i, train={"batch_size": size}) for i, size in enumerate((1024, 64, 256))]
    expected = ["batch_size 64", "batch_size 256", "batch_size 1024"]
    assert labels(group_runs(runs, None)) == {"A": expected}


def test_a_seed_counts_once_by_its_longest_run() -> None:
    short, long, other = run(0, x=(1, 2), values=(1, 1)), run(0, name="b"), run(1)
    kept, repeats = without_repeats(Group("g", [long, other, short]))
    assert kept.runs == [long, other]
    assert repeats == [short]


def test_moving_average_looks_back_only() -> None:
    values = np.array([4.0, 2.0, 0.0, 10.0])
    assert moving_average(values, 1).tolist() == [4, 2, 0, 10]
    assert moving_average(values, 3).tolist() == [4, 3, 2, 4]
    assert moving_average(values, 99).tolist() == [4, 3, 2, 4]


def test_mean_and_interval_over_seeds() -> None:
    group = Group("g", [run(i, values=(i, 10 * i, 0)) for i in range(5)])
    curve = aggregate(group, "mean", smooth=1)
    assert (curve.seeds, curve.label) == (5, "g")
    assert curve.x.tolist() == [1, 2, 3]
    assert curve.center.tolist() == [2, 20, 0]
    assert curve.last_values.tolist() == [0] * 5
    assert np.all(curve.band.low <= curve.center) and np.all(curve.center <= curve.band.high)
    assert 0 < curve.band.low[1] < 20 < curve.band.high[1] < 40


def test_interquartile_mean_and_smoothing() -> None:
    group = Group("", [run(i, values=(value, value, 0)) for i, value in enumerate((0, 1, 2, 900))])
    assert aggregate(group, "iqm", smooth=1).center.tolist() == [1.5, 1.5, 0]
    assert aggregate(group, "mean", smooth=2).center[2] == pytest.approx(903 / 8)


def test_places_that_differ_are_interpolated_as_far_as_all_go() -> None:
    group = Group("", [run(0, x=(0, 10), values=(0, 10)), run(1, x=(4, 8), values=(4, 8))])
    curve = aggregate(group, "mean", smooth=1)
    assert (curve.x[0], curve.x[-1]) == (4, 8)
    np.testing.assert_allclose(curve.center, curve.x)


def test_equal_places_are_kept_up_to_the_shortest() -> None:
    group = Group("", [run(0), run(1, x=(1, 2), values=(3, 4))])
    curve = aggregate(group, "mean", smooth=1)
    assert (curve.x.tolist(), curve.center.tolist()) == ([1, 2], [2, 3])
    assert curve.last_values.tolist() == [2, 4]


def test_last_values_are_each_seeds_own() -> None:
    ends: dict[int, tuple[float, ...]] = {0: (1, 2, 3), 1: (1, 2), 2: (1, 2, 30)}
    group = Group("g", [run(i, x=x, values=(0, *[8 + i] * (len(x) - 1))) for i, x in ends.items()])
    curve = aggregate_last(group, "mean", smooth=1)
    assert curve.last_values.tolist() == [8, 9, 10]
    assert (curve.x.tolist(), curve.center.tolist()) == ([30], [9])
    assert 8 <= curve.band.low[0] < 9 < curve.band.high[0] <= 10
    assert aggregate_last(group, "iqm", smooth=2).last_values.tolist() == [8, 4.5, 10]
