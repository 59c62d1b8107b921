"""The rooms of the code: imports run downwards only, and files and functions stay small.

A room is a layer of modules. A module may import from its own room and from the rooms below it, and
modules may not import one another in a circle. Every module must have a room.
"""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE_FOLDERS = ("autograd", "sac", "scripts")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

# Highest room first. A name stands for the module and, for a package, all that is in it.
ROOMS = [
    {"scripts"},
    {"sac", "sac.__main__"},
    {"sac.cli"},
    {"sac.shared_progress"},
    {"sac.trainer"},
    {"sac.training_loop"},
    {"sac.diagnosis"},
    {"sac.run_state", "sac.run_replay", "sac.interrupt", "sac.saver", "sac.insight"},
    {"sac.collector", "sac.evaluation", "sac.logger", "sac.progress", "sac.plots", "sac.export"},
    {"sac.evaluation_result", "sac.random_policy"},
    {"sac.environments"},
    {"sac.agent"},
    {"sac.agent_state", "sac.factory"},
    {"sac.policies", "sac.soft_q", "sac.temperature", "sac.device"},
    {
        "sac.networks",
        "sac.loss_guard",
        "sac.replay_buffer",
        "sac.replay_state",
        "sac.replay_storage",
        "sac.replay_mirror",
        "sac.normalizer",
        "sac.spaces",
        "sac.seeding",
    },
    {"sac.resume_rules", "sac.run_lock", "sac.divergence", "sac.findings_file"},
    {"sac.checkpoint", "sac.event_file", "sac.metrics_file", "sac.tensorboard_pages"},
    {"sac.manifest", "sac.run_directory", "sac.statistics", "sac.published", "sac.versions"},
    {"sac.replay_segments"},
    {"sac.replay_files"},
    {"sac.event_writer"},
    {"sac.serialization", "sac.files", "sac.console"},
    {"sac.config"},
    {"sac.errors"},
    {"autograd"},
    {"autograd.nn", "autograd.optim", "autograd.distributions", "autograd.cuda"},
    {"autograd.autograd"},
    {"autograd.function", "autograd.anomaly", "autograd.gradient_check", "autograd.serialization"},
    {"autograd.random", "autograd.generator"},
    {"autograd.creation"},
    {"autograd.tensor"},
    {"autograd.operators", "autograd.structure", "autograd.siblings"},
    {
        "autograd.conversions",
        "autograd.copying",
        "autograd.printing",
        "autograd.inplace",
        "autograd.out_argument",
    },
    {"autograd.functional"},
    {"autograd.writing"},
    {"autograd.capture"},
    {"autograd.engine", "autograd.gradients", "autograd.walk"},
    {"autograd.view_tracking"},
    {"autograd.graph", "autograd.data", "autograd.promotion", "autograd.leaf_rules"},
    {"autograd.hooks"},
    {"autograd.ops"},
    {"autograd.grad_mode"},
    {"autograd.flat"},
    {"autograd.backend", "autograd.dtypes", "autograd.missing"},
    {"autograd.error_function", "autograd.workspace"},
    {"autograd.errors"},
]
ROOM_OF = {name: level for level, names in enumerate(reversed(ROOMS)) for name in names}
# The rows of these two are their `__init__` alone: what is in them needs rows of its own.
TOP_PACKAGES = {"autograd", "sac"}

# Which modules may import a library; every other module may not.
ONLY_IMPORTERS = {
    "gymnasium": ("sac.environments", "sac.spaces"),
    "cupy": ("autograd.backend.cupy_backend",),
    "cupyx": ("autograd.backend.cupy_backend",),
    "torch": (),
    "jax": (),
    "pickle": (),
}

# Of the functions, those that callers hand NumPy's own numbers and arrays: in an index, and beside
# an operator.
TAKE_NUMPY_VALUES = {
    f"autograd.functional.{name}" for name in ("dunder", "index_parsing", "subscript")
}


def python_files() -> list[Path]:
    return [path for folder in CODE_FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in python_files()}
FILES = [pytest.param(path, id=module_name(path)) for path in MODULES.values()]
PRODUCT = [name for name in MODULES if name.split(".")[0] in TOP_PACKAGES]


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def import_statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports in a tree that take place: not those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from import_statements(child)


def imported_names(module: str) -> Iterator[str]:
    """Every dotted name that a module imports, anywhere in it: `from a import b` gives `a.b`."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in import_statements(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            above = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def imported_modules(module: str) -> set[str]:
    """The modules of this project that a module imports."""
    names = imported_names(module)
    found = {name if name in MODULES else name.rpartition(".")[0] for name in names}
    return found & MODULES.keys() - {module}


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def room(module: str) -> int | None:
    """The level of a module's room: the row of its nearest listed parent."""
    name = module
    while name not in ROOM_OF:
        name = name.rpartition(".")[0]
        if not name or name in TOP_PACKAGES:
            return None
    return ROOM_OF[name]


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module: str) -> None:
    level = room(module)
    assert level is not None, f"{module} has no room: give it a row in ROOMS"
    upward = [other for other in imported_modules(module) if (room(other) or 0) > level]
    assert not upward, f"{module} imports from a room above its own: {sorted(upward)}"


def test_no_import_cycle() -> None:
    try:
        TopologicalSorter({module: imported_modules(module) for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail("import cycle: " + " -> ".join(reversed(error.args[1])))


def test_autograd_never_imports_sac() -> None:
    importers = [
        module
        for module in MODULES
        if is_within(module, "autograd")
        and any(is_within(name, "sac") for name in imported_names(module))
    ]
    assert not importers


@pytest.mark.parametrize("library", ONLY_IMPORTERS)
def test_library_is_imported_in_its_place_only(library: str) -> None:
    allowed = ONLY_IMPORTERS[library]
    offenders = [
        module
        for module in PRODUCT
        if not module.startswith(allowed)
        and any(is_within(name, library) for name in imported_names(module))
    ]
    assert not offenders, f"{library} may be imported in {allowed or 'no module'} only"


def test_ops_are_written_once_for_both_array_libraries() -> None:
    importers = {
        module
        for module in MODULES
        if module.startswith(("autograd.ops.", "autograd.functional."))
        and any(is_within(name, "numpy") for name in imported_names(module))
    }
    assert importers <= TAKE_NUMPY_VALUES, "an op takes its array library from autograd.backend"


@pytest.mark.parametrize("path", FILES)
def test_sizes(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE_LINES
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{node.name} has {length} lines"
