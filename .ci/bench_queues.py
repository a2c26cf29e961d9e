"""What ten thousand queues cost: the broker with nobody looking, the Queues screen's data, the console itself, and how soon a key is on the
screen; with all queues idle and with some of them busy.
usage: bench_queues.py WEIR [--queues N] [--active N] [--rate N] [--seconds N]"""
import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from machine import resident, serve

SCREEN = {"queues": {"sort": "ready", "descending": True, "start": 0, "count": 120}, "queue": "q00000", "historyPoints": 2}


def stop(broker):
    broker.terminate()
    broker.wait()


def snapshot(http, query):
    request = urllib.request.Request(f"http://{http}/weir/v1/snapshot", json.dumps(query).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def cpu_seconds(pid):
    """Of all its threads, by the scheduler's own count."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def cores(pid, seconds, during=None):
    """Processor time over wall time, while `during` is called again and again."""
    before, started = cpu_seconds(pid), time.monotonic()
    while (left := started + seconds - time.monotonic()) > 0:
        if during:
            during()
        else:
            time.sleep(left)
    return (cpu_seconds(pid) - before) / (time.monotonic() - started)


def percentiles(times):
    times = sorted(times)
    return f"median {times[len(times) // 2]:.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms, worst {times[-1]:.1f} ms"


def make_queues(kafka, count):
    admin = AdminClient({"bootstrap.servers": kafka})
    for start in range(0, count, 500):
        topics = [NewTopic(f"q{number:05}", 1, 1, config={"queue": "true"}) for number in range(start, min(count, start + 500))]
        for future in admin.create_topics(topics, request_timeout=120).values():
            future.result()


class Load:
    """Messages to the first queues in turn, evenly over time."""

    def __init__(self, kafka, queues, rate):
        self.producer = Producer({"bootstrap.servers": kafka, "linger.ms": 50, "acks": 1})
        self.queues, self.rate, self.running = queues, rate, True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        sent, started = 0, time.monotonic()
        while self.running:
            due = int((time.monotonic() - started) * self.rate)
            while sent < due:
                self.producer.produce(f"q{sent % self.queues:05}", b"x" * 200, partition=0)
                sent += 1
            self.producer.poll(0)
            time.sleep(0.02)

    def stop(self):
        self.running = False
        self.thread.join()
        self.producer.flush(10)


def headless(options, data):
    broker, kafka, http = serve(options.weir, data)
    try:
        began = time.monotonic()
        make_queues(kafka, options.queues)
        print(f"{options.queues:,} queues made in {time.monotonic() - began:.1f} s", flush=True)
    finally:
        stop(broker)
    began = time.monotonic()
    broker, kafka, http = serve(options.weir, data)
    try:
        print(f"restarted in {time.monotonic() - began:.2f} s", flush=True)
        while snapshot(http, {"historyPoints": 0})["totals"]["queues"] < options.queues:
            time.sleep(0.2)
        time.sleep(15)
        print(f"idle, nobody looks:        {cores(broker.pid, options.seconds):.4f} core, resident {resident(broker.pid):.0f} MB", flush=True)
        times = []

        def look(pause):
            before = time.monotonic()
            snapshot(http, SCREEN)
            times.append((time.monotonic() - before) * 1000)
            time.sleep(pause)

        print(f"idle, two polls a second:  {cores(broker.pid, options.seconds, lambda: look(0.5)):.4f} core", flush=True)
        times.clear()
        cores(broker.pid, 5, lambda: look(0.03))
        print(f"Queues screen over HTTP:   {percentiles(times)}", flush=True)
        load = Load(kafka, options.active, options.rate)
        time.sleep(5)
        alone = cores(broker.pid, options.seconds)
        times.clear()
        watched = cores(broker.pid, options.seconds, lambda: look(0.5))
        load.stop()
        print(f"{options.active:,} busy, {options.rate:,} msg/s:   {alone:.4f} core, with two polls a second {watched:.4f}; {percentiles(times)}")
        print(f"resident {resident(broker.pid):.0f} MB", flush=True)
    finally:
        stop(broker)


class Console:
    """The broker with its own console in a pseudo-terminal, on the Queues screen at two frames a second."""

    def __init__(self, options, data):
        os.environ["WEIR_BIN"] = str(Path(options.weir).resolve())
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Tests" / "Interop"))
        from terminal import Terminal

        self.terminal = Terminal(
            "serve", "--data", data, "--kafka", "127.0.0.1:0", "--http", "none", columns=120, rows=40)
        self.terminal.process.delaybeforesend = None
        self.terminal.wait("[1 Overview]")
        self.terminal.type("2")
        self.terminal.wait("q00000")
        self.terminal.type("-")
        self.terminal.wait("refresh every 500 ms")
        self.terminal.wait_gone("refresh every")

    @property
    def pid(self):
        return self.terminal.process.pid

    def cursor(self):
        return next((index for index, line in enumerate(self.terminal.lines) if line[1:2] == ">"), None)

    def key_ms(self, key):
        """From a key to the frame that shows it."""
        before, started = self.cursor(), time.monotonic()
        self.terminal.type(key)
        while self.cursor() == before:
            if time.monotonic() > started + 5:
                raise SystemExit(f"the cursor did not move:\n{self.terminal.text}")
            time.sleep(0.0005)
        return (time.monotonic() - started) * 1000

    def page_ms(self, key, text):
        """From a key to a frame with rows that had to be asked for."""
        started = time.monotonic()
        self.terminal.type(key)
        while text not in self.terminal.text:
            if time.monotonic() > started + 5:
                raise SystemExit(f"{text} did not appear:\n{self.terminal.text}")
            time.sleep(0.0005)
        return (time.monotonic() - started) * 1000

    def keys(self, count):
        times = []
        for number in range(count):
            times.append(self.key_ms("j" if number % 20 < 10 else "k"))
            time.sleep(0.137)
        return times

    def kafka(self):
        self.terminal.type("1")
        found = re.search(r"kafka (127\.0\.0\.1:\d+)", self.terminal.text) or self.wait_kafka()
        self.terminal.type("2")
        self.terminal.wait("q00000")
        return found.group(1)

    def wait_kafka(self):
        self.terminal.wait("kafka 127.0.0.1:")
        return re.search(r"kafka (127\.0\.0\.1:\d+)", self.terminal.text)

    def close(self):
        self.terminal.process.terminate(force=False)
        self.terminal.wait_exit()


def console(options, data):
    shown = Console(options, data)
    try:
        kafka = shown.kafka()
        time.sleep(15)
        print(f"console, all idle:         {cores(shown.pid, options.seconds):.4f} core with the broker, resident {resident(shown.pid):.0f} MB", flush=True)
        print(f"key to frame:              {percentiles(shown.keys(60))}", flush=True)
        last = f"q{options.queues - 1:05}"
        ends = [(shown.page_ms("G", last), shown.page_ms("gg", "q00000")) for _ in range(10)]
        print(f"G, rows asked for:         {percentiles([there for there, _ in ends])}; back {percentiles([back for _, back in ends])}", flush=True)
        load = Load(kafka, options.active, options.rate)
        time.sleep(5)
        busy = cores(shown.pid, options.seconds)
        print(f"console, {options.active:,} busy at {options.rate:,} msg/s: {busy:.4f} core with the broker; key to frame {percentiles(shown.keys(40))}", flush=True)
        load.stop()
    finally:
        shown.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weir")
    parser.add_argument("--queues", type=int, default=10_000)
    parser.add_argument("--active", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    data = tempfile.mkdtemp(prefix="weir-queues-")
    try:
        headless(options, data)
        console(options, data)
    finally:
        shutil.rmtree(data)


main()
