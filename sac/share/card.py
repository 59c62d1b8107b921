"""A folder with a policy and its model card, as the Hugging Face Hub and this library take it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from sac.config import Config, LoggingConfig
from sac.config.keys import to_plain
from sac.config.yaml_text import dump_yaml
from sac.disk.encoding import encode_document
from sac.disk.files import replace_file
from sac.disk.places import check_place
from sac.errors import NAME, CheckpointError, ConfigError, SACError
from sac.evaluation.evaluate import EvaluationResult, evaluate
from sac.plots import PlotSettings, plot
from sac.run.checkpoint import Checkpoint, find_checkpoint, load_checkpoint, save_checkpoint
from sac.run.rules import names_code

CARD_FILE = "README.md"  # what the Hub shows
CURVE_FILE = "curve.png"
EVALUATION_FILE = "evaluation.json"
CUT_PATHS = (
    "\nOf paths in the arguments of the environment only the last part is left: give your own by "
    "--env.kwargs.NAME, or from Python by evaluate(..., env_overrides=...).\n"
)
NEEDS_TRUST = (
    "\nThe environment is made by code that the configuration names, so that evaluate() needs "
    "trust=True, and evaluate.py --trust: read that code first.\n"
)
TAGS = ["reinforcement-learning", "deep-reinforcement-learning", "soft-actor-critic", NAME]


def write_card(
    path: str | Path,
    output: str | Path,
    *,
    checkpoint: str | int = "best",
    episodes: int = 20,
    env: Any = None,
    trust: bool = False,
) -> str:
    """Evaluate a run's policy, and write it with its model card to the new folder `output`.

    The folder is a checkpoint that holds all of acting and nothing to resume from; it says nothing
    of where the run's files lie. Returns what was written, in words. The other arguments and errors
    are those of `evaluate`; SACError, too, where `output` can't be written, or holds something.

    Of an absolute path in the arguments of the environment only the last part is left, too: who
    plays in it gives their own.
    """
    output = check_new_folder(output)
    folder = find_checkpoint(path, checkpoint)
    loaded = load_checkpoint(folder)
    if not {"policy", "config"} <= loaded.documents.keys():
        raise CheckpointError(f"'{folder}' holds a policy alone, of which there is nothing to tell")
    result = evaluate(folder, episodes=episodes, env=env, trust=trust)
    trained = Config.from_dict(loaded.documents["config"])
    config = _public(trained)
    documents = {"policy": loaded.documents["policy"], "config": config.to_dict()}
    save_checkpoint(output, {"policy": loaded.tensors["policy"]}, documents, step=loaded.step)
    no_curve = _draw(Path(path), output / CURVE_FILE)
    own = {"env_kwargs": config.env.kwargs, "env_wrappers": list(config.env.wrappers)}
    described = to_plain({**result.to_dict(), "run": None, **(own if env is None else {})})
    is_cut = (config.env.kwargs, config.env.wrappers) != (trained.env.kwargs, trained.env.wrappers)
    note = CUT_PATHS if is_cut else ""
    if names_code(config.env):
        note = NEEDS_TRUST + note
    text = _card(config, loaded, result, note, has_curve=no_curve is None)
    try:
        replace_file(output / EVALUATION_FILE, encode_document(described))
        replace_file(output / CARD_FILE, text.encode())
    except OSError as error:
        raise SACError(f"Can't write into '{output}': {error.strerror}.") from error
    told = f"{output}: the policy of {folder} and its card, mean return {_measured(result)}"
    told = told if no_curve is None else f"{told}\nno curve: {no_curve}"
    return f"{told}{note}".rstrip()


def check_new_folder(output: str | Path) -> Path:
    """Return the path; ConfigError where it is not that of a folder to be, or an empty one."""
    output = Path(output)
    check_place(output, "--output")
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise ConfigError(f"--output: expected a new folder, '{output}' holds something already")
    return output


def _public(config: Config) -> Config:
    """Return a configuration that names no folder and no cluster that it was used on."""
    start, demonstrations = map(_name, (config.train.init_from, config.train.demonstrations))
    train = replace(config.train, init_from=start, demonstrations=demonstrations)
    wrappers = [replace(w, kwargs=_without_folders(w.kwargs)) for w in config.env.wrappers]
    env = replace(
        config.env,
        kwargs=_without_folders(config.env.kwargs),
        wrappers=wrappers,
        ray_address=None,
        max_lag=0,
    )
    return replace(config, env=env, train=train, logging=LoggingConfig())


def _name(path: str | None) -> str | None:
    return None if path is None else Path(path).name


def _without_folders(value: Any) -> Any:
    """Return plain values with the last part of each absolute path, or one from the home."""
    match value:
        case dict():
            return {name: _without_folders(item) for name, item in value.items()}
        case list():
            return [_without_folders(item) for item in value]
        case str():
            paths = PurePosixPath(value), PureWindowsPath(value)
            return next((path.name for path in paths if _names_a_folder(path)), value)
    return value


def _names_a_folder(path: PurePath) -> bool:
    parts = path.parts[1:] if path.is_absolute() else path.parts
    return len(parts) > 1 and (path.is_absolute() or parts[0].startswith("~"))


def _draw(run: Path, output: Path) -> str | None:
    """Draw the learning curve; return why there is none."""
    try:
        plot([run], output, PlotSettings())
    except SACError as error:
        return str(error)
    return None


def _measured(result: EvaluationResult) -> str:
    return f"{result.mean_return:.2f} +/- {result.std_return:.2f}"


def _front_matter(environment: str, played_in: str, result: EvaluationResult) -> str:
    """Return the card's metadata, which the Hub reads its table of results from.

    There, returns with other arguments or wrappers must not stand beside those without.
    """
    metric = {"type": "mean_reward", "name": "mean_reward", "value": _measured(result)}
    task = {"type": "reinforcement-learning", "name": "reinforcement-learning"}
    measured = {
        "task": task,
        "dataset": {"name": played_in, "type": played_in},
        "metrics": [{**metric, "verified": False}],
    }
    return dump_yaml(
        {
            "library_name": NAME,
            "tags": [environment, *TAGS],
            "model-index": [{"name": "SAC", "results": [measured]}],
        }
    )


def _card(
    config: Config, checkpoint: Checkpoint, result: EvaluationResult, note: str, *, has_curve: bool
) -> str:
    environment = config.env.name or config.env.id
    arguments, wrappers = to_plain(config.env.kwargs), to_plain(config.env.wrappers)
    task = replace(result, env=environment, env_kwargs=arguments, env_wrappers=wrappers).task
    rows: Mapping[str, Any] = {
        "environment": task,
        "mean return": f"{_measured(result)} (standard deviation)",
        "episodes": result.episodes,
        "interquartile mean": f"{result.iqm_return:.2f}",
        "least and largest return": f"{result.min_return:.2f}, {result.max_return:.2f}",
        "mean length": f"{result.mean_length:.1f}",
        "environment steps of training": f"{checkpoint.step:,}",
    }
    call = '"FOLDER", trust=True' if names_code(config.env) else '"FOLDER"'
    curve = f"\n![Return in evaluations during training]({CURVE_FILE})\n" if has_curve else ""
    return f"""---
{_front_matter(environment, task, result)}---

# SAC on {environment}

A Soft Actor-Critic policy (arXiv:1812.05905), trained by {NAME}.

```python
from sac import SACAgent, evaluate

agent = SACAgent.load("FOLDER")  # this folder; every file is checked by its hash
action = agent.act(observation, deterministic=True)
print(evaluate({call}).mean_return)
```

## Evaluation

The deterministic policy, in episodes with seeds of their own.

{_table(rows)}
{curve}
## Training

```yaml
{config.to_yaml()}```
{note}
Versions:

{_table(checkpoint.versions)}
"""


def _table(rows: Mapping[str, Any]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {rows[name]} |" for name in rows)])
