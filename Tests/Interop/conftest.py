import faulthandler
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
    # A client's own thread that waits for a broker that is gone hears no signal: then the run ends, saying where.
    faulthandler.dump_traceback_later(seconds + 30, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()
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
