"""The floors of the code: imports run downwards only, and files and functions stay small.

A floor holds folders, and files beside them. A file may import from its own folder and from the
floors below its own, for type checkers too, and files may not import one another in a circle.
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

# From the ground. A name is a folder or a file at the top of a package.
FLOORS = [
    {"autograd.dtypes", "autograd.errors", "autograd.types"},
    {"autograd.backend"},
    {"autograd.ops"},
    {"autograd.engine"},
    {"autograd.functional"},
    {"autograd.tensors"},
    {"autograd.creation", "autograd.function", "autograd.gpu", "autograd.gradient_check"},
    {"autograd.autograd", "autograd.generator", "autograd.ranges", "autograd.serialization"},
    {"autograd.random"},
    {"autograd.cuda", "autograd.distributions", "autograd.nn"},
    {"autograd.optim", "autograd.utils"},
    {"autograd.compiled"},
    {"autograd"},
    {"sac.errors"},
    {"sac.networks", "sac.terminal"},
    {"sac.config", "sac.device", "sac.disk", "sac.seeding", "sac.spaces"},
    {"sac.threads"},
    {"sac.critics", "sac.environments", "sac.exploration", "sac.policies", "sac.replay"},
    {"sac.run"},
    {"sac.agent", "sac.metrics"},
    {"sac.evaluation", "sac.export"},
    {"sac.diagnosis", "sac.insight", "sac.plots"},
    {"sac.share", "sac.training"},
    {"sac", "sac.sweep"},
    {"sac.cli"},
    {"sac.__main__"},
    {"scripts"},
]
FLOOR_OF = {name: level for level, names in enumerate(FLOORS) for name in names}
MOST_AT_THE_TOP = {"autograd": 23, "sac": 26}
# What every file of autograd calls a tensor, for type checkers alone: the one arrow upwards.
EXEMPT = {("autograd.types", "autograd.tensors.tensor")}

# Which modules may import a library; every other module may not.
ONLY_IMPORTERS = {
    "gymnasium": ("sac.environments", "sac.spaces"),
    "cupy": ("autograd.backend.cupy_backend",),
    "cupyx": ("autograd.backend.cupy_backend",),
    "wandb": ("sac.metrics.wandb_run",),
    "mlflow": ("sac.metrics.mlflow_run",),
    "minari": ("sac.share.episodes", "sac.training.demonstrations"),
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
PRODUCT = [name for name in MODULES if name.split(".")[0] in MOST_AT_THE_TOP]


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_names(module: str) -> Iterator[str]:
    """Every dotted name that a module imports, anywhere in it: `from a import b` gives `a.b`."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def imported_modules(module: str) -> set[str]:
    """The modules of this project that a module imports."""
    names = imported_names(module)
    found = {name if name in MODULES else name.rpartition(".")[0] for name in names}
    exempt = {other for importer, other in EXEMPT if importer == module}
    return (found & MODULES.keys()) - {module} - exempt


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def folder(module: str) -> str:
    """The folder at the top of a package that a module is in; of scripts, all of them."""
    return module if module in FLOOR_OF else ".".join(module.split(".")[: 1 + ("." in module)])


def floor(module: str) -> int:
    """The floor that a module is on; KeyError where its folder has none."""
    name = "scripts" if is_within(module, "scripts") else folder(module)
    return FLOOR_OF[name]


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module: str) -> None:
    assert is_within(module, "scripts") or folder(module) in FLOOR_OF, (
        f"{module} has no floor: give its folder a place in FLOORS"
    )
    upward = [
        other
        for other in imported_modules(module)
        if folder(other) != folder(module) and floor(other) >= floor(module)
        if not (is_within(module, "scripts") and is_within(other, "scripts"))
    ]
    assert not upward, f"{module} imports from its own floor or above: {sorted(upward)}"


@pytest.mark.parametrize("package", MOST_AT_THE_TOP)
def test_top_of_a_package_is_seen_at_a_glance(package: str) -> None:
    names = {module.split(".")[1] for module in MODULES if module.startswith(f"{package}.")}
    assert len(names - {"__main__"}) <= MOST_AT_THE_TOP[package], sorted(names)


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
