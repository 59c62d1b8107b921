"""Evaluations side by side as a table in the terminal."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sac.evaluation.evaluate import EvaluationResult


def print_table(results: Sequence["EvaluationResult"]) -> None:
    """Print a column for each run, and one for random actions where they were played."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    columns = list(_columns(results))
    environments = dict.fromkeys(str(result.env) for result in results)
    count = results[0].episodes
    title = f"{', '.join(environments)}, {count} episode{'s' * (count > 1)}"
    table = Table("return", title=escape(title))
    for name, _ in columns:
        table.add_column(escape(name), justify="right", overflow="fold")
    cells = [_cells(result) | _differing(result, results) for _, result in columns]
    for label in cells[0]:
        row = [column[label] for column in cells]
        if any(row):
            table.add_row(label, *map(escape, row))
    console = Console()
    console.print(table)
    published = {str(result.env): result.published for result in results if result.published}
    for env, known in published.items():
        text = f"Published for {env}: {known.mean_return:g} ({known.source})"
        console.print(text, markup=False, highlight=False)


def _columns(results: Sequence["EvaluationResult"]) -> Iterator[tuple[str, "EvaluationResult"]]:
    for result in results:
        name = "value" if len(results) == 1 else PurePath(str(result.run)).name
        yield name, result
    seen = []
    for result in results:
        task = result.env, result.env_kwargs, list(result.env_wrappers)
        if result.random_policy is not None and task not in seen:
            seen.append(task)
            yield "random actions", result.random_policy


def _differing(result: "EvaluationResult", results: Sequence["EvaluationResult"]) -> dict[str, str]:
    """Return the environment's arguments and wrappers in which results differ; empty: not given."""
    names = dict.fromkeys(name for other in results for name in other.env_kwargs)
    differing = {
        f"env.kwargs.{name}": str(result.env_kwargs.get(name, ""))
        for name in names
        if any(other.env_kwargs.get(name) != results[0].env_kwargs.get(name) for other in results)
    }
    wrappers = [_wrappers(other) for other in results]
    if len({*wrappers}) > 1:
        differing["env.wrappers"] = _wrappers(result)
    return differing


def _wrappers(result: "EvaluationResult") -> str:
    return ", ".join(
        f"{wrapper['class_path'].rpartition('.')[2]}"
        f"({', '.join(f'{name}={value}' for name, value in wrapper['kwargs'].items())})"
        for wrapper in result.env_wrappers
    )


def _cells(result: "EvaluationResult") -> dict[str, str]:
    low, high = result.return_interval
    step, success_rate = result.checkpoint_step, result.success_rate
    return {
        "mean": f"{result.mean_return:.2f}",
        "95 % interval of the mean": f"{low:.2f} to {high:.2f}",
        "standard deviation": f"{result.std_return:.2f}",
        "median": f"{result.median_return:.2f}",
        "interquartile mean": f"{result.iqm_return:.2f}",
        "lowest": f"{result.min_return:.2f}",
        "highest": f"{result.max_return:.2f}",
        "mean length": f"{result.mean_length:.1f}",
        "shortest, longest": f"{min(result.lengths)}, {max(result.lengths)}",
        "success rate": "" if success_rate is None else f"{100 * success_rate:.0f} %",
        "environment": str(result.env),
        "checkpoint step": "" if step is None else str(step),
    }
