"""A TensorBoard server on a loopback port, and its HTTP API."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest

PATIENCE = 120  # seconds, for a server on a machine with much else to do


class Server:
    """What a server answers; `url` is its page."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = build_opener(ProxyHandler({}))  # a proxy would not find a loopback port

    def get(self, path: str, **query: str) -> Any:
        return json.loads(self.read(f"{path}?{urlencode(query)}"))

    def post(self, path: str, **document: Any) -> Any:
        header = {"Content-Type": "application/json"}
        return json.loads(self.read(path, json.dumps(document).encode(), header))

    def read(
        self, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        request = Request(f"{self.url}data/{path}", data, headers or {})
        with self._opener.open(request, timeout=PATIENCE) as response:
            content: bytes = response.read()
            return content

    def wait_until(self, shows_all: Callable[[], bool]) -> None:
        """Fail unless the server has read all within its time."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if shows_all():
                return
            time.sleep(0.2)
        pytest.fail("TensorBoard does not show the runs")


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Run TensorBoard on a folder of runs."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
    command += ["--host", "127.0.0.1", "--port", "0", "--reload_interval", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"at (http://\S+)", line):
                    break
            assert found, "".join(said)
            yield Server(found[1])
        finally:
            process.terminate()
