"""The sweep command: many trainings whose settings Optuna chooses, and the best of them."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sac.cli.parser import (
    CommandParser,
    add_config_options,
    parse_config_options,
    tell_overruled,
    value_type,
)
from sac.cli.summary import quoted, typed_commands
from sac.config import Config
from sac.config.fields import Option, count
from sac.config.shipped import PRESETS, SPACES, config_path, names, space_path
from sac.errors import ConfigError, SACError
from sac.run.layout import safe_name
from sac.terminal.interrupt import SIGNAL_STATUS
from sac.terminal.output import say
from sac.terminal.results import kept_for_results

if TYPE_CHECKING:
    from sac.sweep.on_ray import Cluster
    from sac.sweep.processes import Start
    from sac.sweep.trials import Trials

USAGE = "%(prog)s --config FILE --space FILE [--trials N] [--KEY VALUE ...]"
DESCRIPTION = """Search for good settings: train many trials, whose settings Optuna chooses (TPE)
from a space in YAML, and end those early that do badly. Each trial is an ordinary run directory,
<logging.root>/<sweep>/<trial>/. A sweep that was interrupted or killed goes on when the same
command is given again. At its end: a table, the best configuration, and how much each key matters;
the exit status is 1 if no trial is complete. Every key of the configuration is also an option, as
for train, but the seed and what the space chooses. Needs Optuna."""
NONE_COMPLETE = 1  # exit status
SHOWN_TRIALS = 10
TEXT_WIDTH = 150  # of a table in a file or a pipe


def sweep_command(argv: Sequence[str], prog: str) -> int:
    """Run the sweep that `argv` describes and return the exit status; SACError if that fails."""
    arguments, overrides = parse_config_options(_parser(prog), argv)
    if arguments.config is None or arguments.space is None:
        raise ConfigError("expected --config FILE and --space FILE (--help explains the options)")
    if "seed" in overrides:
        raise ConfigError(
            "--seed: each trial of a sweep has --seeds_per_trial seeds, from 0 on, and "
            "--sampler_seed chooses the settings: leave out --seed"
        )
    if arguments.address is not None and arguments.backend != "ray":
        raise ConfigError("--address is that of a Ray cluster: give --backend ray, too")
    if arguments.preset is not None:
        overrides["preset"] = arguments.preset
    config = Config.load(arguments.config, overrides)
    if arguments.preset is not None:
        tell_overruled(arguments.config, arguments.preset)
    if config.evaluation.env == "none":
        raise ConfigError(
            "evaluation.env: expected copy or same, got none: a sweep compares returns"
        )
    with ExitStack() as stack:
        if arguments.json:
            stack.enter_context(kept_for_results())
        trials, interrupted_by = _search(arguments, config, overrides)
        _tell_end(trials, argv, prog, is_whole=interrupted_by is None)
    if arguments.json:
        print(json.dumps(_document(trials)))
    return _status(trials) if interrupted_by is None else SIGNAL_STATUS + interrupted_by


def _status(trials: "Trials") -> int:
    """Return the exit status of a sweep that came to its end; say it where nothing was found."""
    states = [row.state for row in trials.rows()]
    if "complete" in states or "running" in states:
        return 0
    fault = (
        f"{states.count('failed')} failed: mend what they say and choose another --sweep, or give "
        "more --trials, as those that failed are counted"
    )
    fault = fault if states else "none began before --timeout"
    print(f"error: no trial is complete, {fault}", file=sys.stderr)
    return NONE_COMPLETE


def _search(
    arguments: Any, config: Config, overrides: Mapping[str, Any]
) -> "tuple[Trials, int | None]":
    """Train the trials that are left; return them, and the signal that ended it early, if any."""
    from sac.sweep.board import Board  # here, so that --help and refusals stay quick
    from sac.sweep.folder import Comparison, SweepFolder
    from sac.sweep.plan import thread_variables
    from sac.sweep.processes import Supervisor, local_start
    from sac.sweep.space import Space
    from sac.sweep.trials import Trials, load_optuna
    from sac.threads import processors

    space = Space.load(space_path(arguments.space), config)
    space.check_options(overrides)
    name = f"{config_path(arguments.config).stem}-sweep"
    name = safe_name(name, "sweep") if arguments.sweep is None else _checked_name(arguments.sweep)
    folder = SweepFolder(Path(config.logging.root) / name)
    seeds = tuple(range(arguments.seeds_per_trial))
    comparison = Comparison(arguments.metric, arguments.pruner, seeds, arguments.sampler_seed)
    load_optuna()  # before a folder is made
    with ExitStack() as stack:
        workers = arguments.workers or processors()
        if arguments.backend == "ray":
            from sac.sweep.on_ray import connected

            cluster = stack.enter_context(connected(arguments.address, arguments.cpus_per_trial))
            workers = arguments.workers or cluster.room
            start: Start = cluster.start
        else:
            variables = thread_variables(config, workers)
            start = stack.enter_context(local_start(variables))
        was_there = folder.open(space, comparison)
        stack.enter_context(folder.lock())
        limits = {"trials": arguments.trials, "timeout": arguments.timeout}
        trials = Trials(folder, space, comparison, **limits)
        _tell_beginning(trials, workers, was_there=was_there)
        if arguments.backend == "ray":
            _tell_blind_nodes(cluster, folder.path)
        board = Board(keeps_ended=False)
        with trials.writing():
            interrupted_by = Supervisor(trials, board, workers, start).train()
            trials.write()
    return trials, interrupted_by


def _checked_name(name: str) -> str:
    """Return the name of a sweep's folder; ConfigError where it would be elsewhere, or unsafe.

    Replacing characters, as for a run, would let two names be the same sweep.
    """
    safe = safe_name(name, "sweep")
    if name != safe:
        raise ConfigError(
            f"--sweep: expected the name of a folder in logging.root, of letters, digits, '.', '_' "
            f"and '-', got {name!r:.100}; give --sweep {safe}"
        )
    return name


def _tell_beginning(trials: "Trials", workers: int, *, was_there: bool) -> None:
    states = [row.state for row in trials.rows()]
    seeds = len(trials.comparison.seeds)
    text = f"sweep {trials.folder.path}: {trials.wanted} trials"
    text += f" of {seeds} seeds" if seeds > 1 else ""
    text += f", {workers} training{'s' if workers > 1 else ''} at a time"
    if was_there:
        known = {state: states.count(state) for state in ("complete", "pruned", "failed")}
        text += "; goes on: " + ", ".join(f"{number} {state}" for state, number in known.items())
        if open_ones := states.count("running"):
            text += f", {open_ones} from where they were"
    say(text, sys.stdout)


def _tell_blind_nodes(cluster: "Cluster", folder: Path) -> None:
    if blind := cluster.blind_nodes(folder):
        say(
            f"logging.root is not seen by {', '.join(blind)}: trials leave their run directories "
            "there, and those of a node that is lost begin anew",
            sys.stdout,
        )


def _tell_end(trials: "Trials", argv: Sequence[str], prog: str, *, is_whole: bool) -> None:
    from rich.console import Console

    from sac.sweep.folder import BEST_FILE, TRIALS_FILE

    rows = trials.rows()
    if rows:
        console = Console()
        if not console.is_terminal:
            console = Console(width=TEXT_WIDTH)
        console.print(_table(trials))
    importances = trials.importances()
    if importances:
        shares = ", ".join(f"{key} {share:.0%}" for key, share in importances.items())
        say(f"Importance (PED-ANOVA): {shares}", sys.stdout)
        say(_figure(trials, importances), sys.stdout)
    say(f"Trials: {trials.folder.path / TRIALS_FILE}", sys.stdout)
    if trials.best_config() is not None:
        best = quoted(trials.folder.path / BEST_FILE)
        say(f"Best: {typed_commands(prog)['train']} --config {best}", sys.stdout)
    if not is_whole or any(row.state == "running" for row in rows):
        command = f"python {sys.argv[0]}" if prog.endswith(".py") else prog
        say(f"Go on: {command} {shlex.join(argv)}", sys.stdout)


def _table(trials: "Trials") -> Any:
    from rich.table import Table

    keys = [each.key for each in trials.space.dimensions if each.kind != "same"]
    rows = trials.rows()
    table = Table(title=f"{len(rows)} trials, the best first")
    for heading in ("trial", "state", "mean return", *keys):
        table.add_column(heading.replace(".", ".\n"))
    for row in rows[:SHOWN_TRIALS]:
        value = "" if row.value is None else f"{row.value:.2f}"
        cells = [_shown(row.parameters[key]) if key in row.parameters else "" for key in keys]
        table.add_row(str(row.number), row.state, value, *cells)
    return table


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _figure(trials: "Trials", importances: Any) -> str:
    """Draw the importances; return where, or why not."""
    from sac.plots.bars import draw_bars
    from sac.sweep.folder import IMPORTANCE_FILE

    path = trials.folder.path / IMPORTANCE_FILE
    try:
        draw_bars(path, importances, "share of what differs between trials (PED-ANOVA)")
    except SACError as error:
        return f"No figure: {error}"
    return f"Figure: {path}"


def _document(trials: "Trials") -> dict[str, Any]:
    rows = [
        {
            "trial": row.number,
            "state": row.state,
            "mean_return": row.value,
            "parameters": dict(row.parameters),
            "run_directories": [str(trials.folder.path / name) for name in row.folders],
        }
        for row in trials.rows()
    ]
    best = rows[0] if rows and rows[0]["mean_return"] is not None else None
    return {
        "sweep": str(trials.folder.path),
        "best": best,
        "importances": dict(trials.importances()),
        "trials": rows,
    }


def _parser(prog: str) -> CommandParser:
    parser = CommandParser(prog, DESCRIPTION, USAGE)
    add = parser.add_argument
    add("--config", type=Path, metavar="FILE", help="Configuration, as for train.")
    add("--preset", metavar="NAME", help=f"As for train: {', '.join(names(PRESETS))}; or a file.")
    add(
        "--space",
        type=Path,
        metavar="FILE",
        help=f"Search space in YAML, or the name of a shipped one: {', '.join(names(SPACES))}. A "
        "line a key: agent.policy_lr: {log: [1e-4, 3e-3]}; uniform, int and log_int alike; a list "
        "of choices; {same: KEY}; {int: [10, 50], if: {agent.critic: tqc}}.",
    )
    parser.add_number("--trials", count("Trials of the whole sweep, with those made before."), 40)
    add(
        "--workers",
        type=value_type("--workers", int, count("Trainings at a time.", at_most=10_000)),
        metavar="N",
        help="Trainings at a time. (default: one for each processor, of the cluster with Ray)",
    )
    parser.add_number("--seeds_per_trial", count("Seeds of each trial; its mean counts."), 1)
    metric = "Which evaluation of a run counts. (default: last)"
    add("--metric", choices=("last", "best"), default="last", help=metric)
    add(
        "--pruner",
        choices=("median", "asha", "none"),
        default="median",
        help="Ends trials early by their evaluations: below the median of the others at that step, "
        "or by successive halving. (default: median)",
    )
    sampler = count("Seed by which settings are chosen.", at_least=0, at_most=2**31)
    parser.add_number("--sampler_seed", sampler, 0)
    add(
        "--sweep",
        metavar="NAME",
        help="Of the sweep's folder, in logging.root. (default: <config>-sweep)",
    )
    add(
        "--timeout",
        type=value_type("--timeout", float, Option("Seconds.", above=0)),
        metavar="SECONDS",
        help="Start no trial later than this; those that train then come to their end.",
    )
    backend = "Where trials train: processes of this machine, or a Ray cluster. (default: local)"
    add("--backend", choices=("local", "ray"), default="local", help=backend)
    add(
        "--address",
        metavar="ADDRESS",
        help="With --backend ray, the cluster's: auto or host:port. (default: one is started here)",
    )
    parser.add_number("--cpus_per_trial", count("With --backend ray, processors of a trial."), 1)
    parser.add_flag("--json", "Print one JSON object on one line, and all else on standard error.")
    add_config_options(parser)
    return parser
