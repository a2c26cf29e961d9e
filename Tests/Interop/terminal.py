"""A terminal with the real binary in it: keys go in, the screen comes out as text."""

import os
import signal
import threading
import time
from pathlib import Path

import pexpect
import pyte

from broker import BINARY, eventually

LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"


class Screen(pyte.Screen):
    """pyte's screen, with the scrolling sequences (SU, SD) that ncurses uses and pyte leaves out."""

    def scroll_up(self, count=1):
        self._scroll(count, (self.margins or pyte.screens.Margins(0, self.lines - 1)).bottom, self.index)

    def scroll_down(self, count=1):
        self._scroll(count, (self.margins or pyte.screens.Margins(0, self.lines - 1)).top, self.reverse_index)

    def _scroll(self, count, line, step):
        before, self.cursor.y = self.cursor.y, line
        for _ in range(count or 1):
            step()
        self.cursor.y = before


class Stream(pyte.ByteStream):
    csi = {**pyte.ByteStream.csi, "S": "scroll_up", "T": "scroll_down"}
    events = pyte.ByteStream.events | {"scroll_up", "scroll_down"}


class Terminal:
    """`weir ARGUMENTS` in a pseudo-terminal of `columns` by `rows`."""

    def __init__(self, *arguments, columns=100, rows=30, cwd=None, **environment):
        settings = {
            "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "NCURSES_NO_UTF8_ACS": "1", "SWIFT_BACKTRACE": "enable=no", **environment}
        settings = {name: value for name, value in settings.items() if value is not None}
        self.screen = Screen(columns, rows)
        self.stream = Stream(self.screen)
        self.lock = threading.Lock()
        self.bytes = b""
        self.process = pexpect.spawn(BINARY, list(arguments), dimensions=(rows, columns), env=settings, timeout=None, cwd=cwd)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.process.child_fd, 65536)
            except (OSError, ValueError):
                return
            if not data:
                return
            with self.lock:
                self.bytes += data
                self.stream.feed(data)

    @property
    def lines(self):
        with self.lock:
            return list(self.screen.display)

    @property
    def text(self):
        return "\n".join(self.lines)

    def type(self, keys):
        self.process.send(keys)

    def wait(self, text, seconds=15):
        """Until the screen holds the text."""
        try:
            return eventually(lambda: text in self.text, seconds, 0.05)
        except AssertionError:
            raise AssertionError(f"{text!r} did not appear; the screen is:\n{self.text}") from None

    def wait_gone(self, text, seconds=15):
        try:
            return eventually(lambda: text not in self.text, seconds, 0.05)
        except AssertionError:
            raise AssertionError(f"{text!r} did not go away; the screen is:\n{self.text}") from None

    def resize(self, columns, rows):
        with self.lock:
            self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def assert_framed(self):
        """Every panel's border is whole: nothing sticks out at the right, and the last two lines are status and footer."""
        width = self.screen.columns
        body = self.lines[3:-2]
        for line in body:
            assert len(line) == width and line[0] in "┌│└" and line[-1] in "┐│┘", f"a border is torn:\n{self.text}"

    def hang_up(self):
        """The window is closed, the connection drops."""
        os.close(self.process.child_fd)
        self.process.closed = True
        self.process.child_fd = -1

    def thread_cpu_ns(self, name):
        """Processor time of the process's thread of that name."""
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == name:
                return int((task / "schedstat").read_text().split()[0])
        raise AssertionError(f"no thread {name}")

    def wait_exit(self, seconds=20):
        eventually(lambda: not self.process.isalive(), seconds)
        # The last words are read once the process is gone.
        self.reader.join(5)
        return self.process.exitstatus, self.process.signalstatus

    def bytes_in(self, seconds):
        """What the terminal is sent in that time."""
        with self.lock:
            before = len(self.bytes)
        time.sleep(seconds)
        with self.lock:
            return len(self.bytes) - before

    def end(self):
        if self.process.isalive():
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()


class EmbeddedBroker(Terminal):
    """`weir serve` with its console up."""

    def __init__(self, data, *flags, columns=120, rows=30, cwd=None, **environment):
        super().__init__(
            "serve", "--console", "--data", str(data), "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", *flags, columns=columns,
            rows=rows, cwd=cwd, **environment)
        self.wait("http 127.0.0.1:")
        words = self.text.split()
        self.kafka = words[words.index("kafka") + 1]
        self.http = words[words.index("http") + 1]
