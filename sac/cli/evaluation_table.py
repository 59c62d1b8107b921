"""Evaluations side by side as a table in the terminal."""

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from sac.evaluation.result import EvaluationResult, call
from sac.terminal.output import counted

LABELS, COLUMN = 31, 15  # letters: the widths of the labels and of a column of numbers


def print_table(results: Sequence[EvaluationResult]) -> None:
    """Print a column for each run, and one for random actions where they were played.

    Where more come than fit side by side, several tables follow one another.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    columns = list(_columns(results))
    environments = dict.fromkeys(str(result.env) for result in results)
    title = f"{', '.join(environments)}, {counted(results[0].episodes, 'episode')}"
    cells = [_cells(result) | _given(result, results) for _, result in columns]
    labels = [label for label in cells[0] if any(column[label] for column in cells)]
    console = Console()
    at_once = _fitting(console.width)
    for first in range(0, len(columns), at_once):
        part = range(first, min(first + at_once, len(columns)))
        table = Table(Column("return", no_wrap=True), title=escape(title))
        for i in part:
            table.add_column(escape(columns[i][0]), justify="right", overflow="fold")
        for label in labels:
            table.add_row(label, *(escape(cells[i][label]) for i in part))
        console.print(table)
    published = {str(result.env): result.published for result in results if result.published}
    for env, known in published.items():
        text = f"Published for {env}: {known.mean_return:g} ({known.source})"
        console.print(text, markup=False, highlight=False)


def _columns(results: Sequence[EvaluationResult]) -> Iterator[tuple[str, EvaluationResult]]:
    paths = [PurePath(str(result.run)) for result in results]
    for path, result in zip(paths, results, strict=True):
        yield "value" if len(results) == 1 else _name(path, paths), result
    seen = []
    for result in results:
        task = result.env, result.env_kwargs, list(result.env_wrappers)
        if result.random_policy is not None and task not in seen:
            seen.append(task)
            yield "random actions", result.random_policy


def _name(path: PurePath, paths: Sequence[PurePath]) -> str:
    """Return as many of the last parts of a path as tell it from the others."""
    others = [other.parts for other in paths if other != path]
    for count in range(1, len(path.parts)):
        end = path.parts[-count:]
        if all(other[-count:] != end for other in others):
            return str(PurePath(*end))
    return str(path)


def _fitting(width: int) -> int:
    """Return how many columns fit beside the labels without folding a number."""
    return max(2, (width - LABELS) // COLUMN)


def _given(result: EvaluationResult, results: Sequence[EvaluationResult]) -> dict[str, str]:
    """Return what makes a task of the environment that its id does not tell; empty: not given."""
    names = dict.fromkeys(name for other in results for name in other.env_kwargs)
    given = {f"env.kwargs.{name}": str(result.env_kwargs.get(name, "")) for name in names}
    given["env.wrappers"] = ", ".join(map(call, result.env_wrappers))
    is_sampled = any(not other.deterministic for other in results)
    given["actions"] = ("most likely" if result.deterministic else "sampled") * is_sampled
    return given


def _cells(result: EvaluationResult) -> dict[str, str]:
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
