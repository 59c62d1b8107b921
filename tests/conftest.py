"""What every test shares: skips for what is not installed, and a guard for the grad mode."""

import importlib.util
import os
import signal
import sys
from collections.abc import Iterator

import hypothesis
import pytest

from tests.on_devices import CPU, GPU, STANDIN, device_of  # imports no NumPy

# Before NumPy is imported: on a loaded machine the threads of BLAS wait for one another, and the
# tests' small matrices gain nothing from them. The processes that tests start inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A shell's background job ignores Ctrl-C (under nohup the terminal's end, too), as its processes
# then do: those that tests send signals to would never end.
for _name, _handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)

# A loaded machine is slow at making examples, which is no fault of the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

PACKAGE_OF_MARKER = {"torch": "torch", "cupy": "cupy", "gpu": "cupy"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for marker, package in PACKAGE_OF_MARKER.items():
        if importlib.util.find_spec(package) is not None:
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{package} is not installed"))


@pytest.fixture(autouse=True, scope="session")
def key_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let runs be signed by a key of the tests, not by that of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True)
def grad_mode_is_restored() -> Iterator[None]:
    """Fail a test that leaves grad mode off, which would make later tests pass for nothing."""
    yield
    autograd = sys.modules.get("autograd")
    if autograd is None:  # the test used no autograd: nothing to leak
        return
    leaked = not autograd.is_grad_enabled() or autograd.is_inference_mode_enabled()
    if leaked:
        autograd.set_grad_enabled(True)
    assert not leaked, "the test leaked its grad mode"


@pytest.fixture(params=[CPU, STANDIN, GPU])
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each device in turn, by name: one on which nothing runs by NumPy alone is called cuda."""
    with device_of(request.param) as name:
        yield name


@pytest.fixture(params=[STANDIN, GPU])
def cuda(request: pytest.FixtureRequest) -> Iterator[str]:
    """The devices in turn that are no CPU."""
    with device_of(request.param) as name:
        yield name
