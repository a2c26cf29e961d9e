import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

from broker import BINARY, Broker  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "seconds(n): how long the test may take; 90 unless said")
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning")
    if not os.access(BINARY, os.X_OK):
        raise pytest.UsageError(f"{BINARY} is not there: build it with 'swift build -c release --product weir', or set WEIR_BIN")


@pytest.fixture(autouse=True)
def deadline(request):
    """No test hangs the run."""
    mark = request.node.get_closest_marker("seconds")
    seconds = mark.args[0] if mark else 90

    def late(*_):
        raise TimeoutError(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def broker(tmp_path):
    import clients

    broker = Broker(tmp_path / "data").start()
    yield broker
    clients.ADMINS.clear()
    try:
        broker.assert_alive()
        broker.stop()
    finally:
        broker.kill()
