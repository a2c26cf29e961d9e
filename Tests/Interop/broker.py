"""A Weir process on free ports, as a test sees it."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("WEIR_BIN") or str(ROOT / ".build" / "release" / "weir")


class Broker:
    """Starts, kills and restarts one broker; the Kafka port stays the same over restarts, so that clients find it again."""

    def __init__(self, data, *flags):
        self.data = str(data)
        self.flags = flags
        self.kafka = "127.0.0.1:0"
        self.http = "127.0.0.1:0"
        self.process = None
        self.errors = []

    def start(self):
        command = [BINARY, "serve", "--no-console", "--data", self.data, "--kafka", self.kafka, "--http", self.http, *self.flags]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(self.process, ready), daemon=True).start()
        deadline = time.monotonic() + 20
        while not ready.wait(0.05):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the broker did not get ready, exit code {self.process.poll()}:\n" + "\n".join(self.errors[-20:]))
        return self

    def _listen(self, process, ready):
        for line in process.stderr:
            self.errors.append(line.rstrip("\n"))
            if line.startswith("ready "):
                doors = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
                self.http = doors["http"]
                if "--advertise" not in self.flags:
                    self.kafka = doors["kafka"]
                ready.set()

    def kill(self):
        """As a power switch would, for the process."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the broker did not stop within 15 s of SIGTERM") from None

    def restart(self):
        self.stop()
        return self.start()

    def assert_alive(self):
        assert self.process.poll() is None, "the broker ended:\n" + "\n".join(self.errors[-30:])

    @property
    def resident_mib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    @property
    def address(self):
        host, port = self.kafka.rsplit(":", 1)
        return host, int(port)

    def weir(self, *arguments, expect=0):
        """Runs a verb against the admin door; returns its standard output (or error, when it is meant to fail)."""
        run = subprocess.run(
            [BINARY, *arguments, "--http", self.http], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert run.returncode == expect, f"weir {' '.join(arguments)} ended with {run.returncode}: {run.stderr or run.stdout}"
        return run.stdout if expect == 0 else run.stderr

    def weir_json(self, *arguments):
        return json.loads(self.weir(*arguments, "--json"))


def eventually(condition, seconds=20, every=0.1):
    """Waits until the condition gives something true and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true within {seconds} s; last: {value!r}")
        time.sleep(every)
