"""See .ci/bench. How soon a broker serves, empty and with a large log; what it holds at rest; and whether a backlog slows publishing.
usage: bench_start.py WEIR [--gb N] [--rounds N]"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from machine import resident, warm


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def serve(weir, data):
    """A broker, its address, and the ms until it accepted a connection."""
    port = free_port()
    began = time.monotonic()
    broker = subprocess.Popen(
        [weir, "serve", "--no-console", "--data", data, "--kafka", f"127.0.0.1:{port}", "--http", "none"], stderr=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            if broker.poll() is not None:
                raise SystemExit("the broker did not start")
            time.sleep(0.001)
    return broker, f"127.0.0.1:{port}", (time.monotonic() - began) * 1000


def stop(broker, kill=False):
    broker.kill() if kill else broker.terminate()
    broker.wait()


def produce(weir, kafka, topic, records):
    line = [weir, "bench", "produce", "--json", "--no-progress", "--kafka", kafka, "--topic", topic, "--count", str(records), "--size", "200"]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)[0]["recordsPerSecond"]


def size(directory):
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(directory) for name in names) / 1e9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weir")
    parser.add_argument("--gb", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    data = tempfile.mkdtemp(prefix="weir-start-")
    empty = tempfile.mkdtemp(prefix="weir-start-")
    try:
        starts = []
        for number in range(options.rounds):
            directory = os.path.join(empty, str(number))
            broker, _, took = serve(options.weir, directory)
            starts.append(took)
            stop(broker)
        print(f"empty: first connection after {statistics.median(starts):.0f} ms (worst {max(starts):.0f})", flush=True)
        broker, _, _ = serve(options.weir, os.path.join(empty, "rest"))
        time.sleep(10)
        print(f"at rest: {resident(broker.pid):.0f} MB", flush=True)
        stop(broker)

        broker, kafka, _ = serve(options.weir, data)
        while size(data) < options.gb:
            produce(options.weir, kafka, "backlog", 5_000_000)
        stop(broker, kill=True)
        broker, kafka, killed = serve(options.weir, data)
        stop(broker)
        broker, kafka, orderly = serve(options.weir, data)
        print(f"{size(data):.1f} GB: first connection {killed:.0f} ms after kill -9, {orderly:.0f} ms after an orderly stop", flush=True)

        fresh, fresh_kafka, _ = serve(options.weir, os.path.join(empty, "fresh"))
        rates = []
        for number in range(options.rounds):
            pair = []
            # Each goes first half of the time.
            for is_full in (True, False) if number % 2 else (False, True):
                warm(data)
                pair.append((is_full, produce(options.weir, kafka if is_full else fresh_kafka, "backlog" if is_full else "new", 2_000_000)))
            rates.append((dict(pair)[True], dict(pair)[False]))
            print(f"  round {number + 1}: {rates[-1][0]:,.0f}/s into the backlog, {rates[-1][1]:,.0f}/s into an empty broker", flush=True)
        print(f"median ratio {statistics.median(full / new for full, new in rates):.2f}")
        stop(broker)
        stop(fresh)
    finally:
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(empty, ignore_errors=True)


main()
