"""How long the Dead screen's data takes with a million dead letters, and how fast they are redriven.
usage: bench_dead.py WEIR [--messages N]"""
import argparse
import json
import shutil
import tempfile
import time
import urllib.request

from confluent_kafka import Producer
from machine import resident, serve

REASONS = ["TimeoutError: gateway gw-1", "TimeoutError: gateway gw-2", "card refused", "no such account"]


def call(http, path, body):
    request = urllib.request.Request(f"http://{http}/weir/v1/{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def fill(bootstrap, messages):
    """Dead letters as the broker stamps them, written straight into the queue."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_000_000})
    value = b"x" * 200
    for number in range(messages):
        headers = [
            ("x-exception-message", REASONS[number % 4]), ("x-last-death-reason", "rejected"), ("x-last-death-queue", "work"),
            ("__dlq.errors.topic", "work"), ("__dlq.errors.partition", "0"), ("__dlq.errors.offset", str(number)),
            ("__dlq.errors.group", "work"), ("__dlq.errors.delivery.count", "5")]
        producer.produce("dead", value, partition=0, headers=headers)
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weir")
    parser.add_argument("--messages", type=int, default=1_000_000)
    options = parser.parse_args()
    data = tempfile.mkdtemp(prefix="weir-dead-")
    broker, bootstrap, http = serve(options.weir, data)
    try:
        call(http, "command", {"queue": {"_0": {"declare": {"queue": "work", "settings": {"dead.letter": "dead"}}}}})
        call(http, "command", {"queue": {"_0": {"declare": {"queue": "dead", "settings": {"errors.deadletterqueue.group.enable": "true"}}}}})
        fill(bootstrap, options.messages)
        broker.terminate()
        broker.wait()
        broker, bootstrap, http = serve(options.weir, data)
        print(f"{options.messages:,} dead letters, just restarted, resident {resident(broker.pid):.0f} MB", flush=True)
        query = {"dead": {"queue": "dead", "filter": {"ids": [], "headers": []}, "start": 0, "count": 100}, "historyPoints": 0}
        started = time.monotonic()
        while True:
            before = time.monotonic()
            dead = call(http, "snapshot", query)["dead"]
            taken = time.monotonic() - before
            known = sum(row["count"] for row in dead["reasons"])
            print(f"  {before - started:6.2f} s after the start: Dead screen's data in {taken * 1000:.0f} ms, {known:,} of them by reason", flush=True)
            if dead["row"]["unread"] == 0:
                break
            time.sleep(0.5)
        times = []
        for _ in range(10):
            before = time.monotonic()
            call(http, "snapshot", query)
            times.append((time.monotonic() - before) * 1000)
        print(f"  indexed: median {sorted(times)[5]:.0f} ms, slowest {max(times):.0f} ms; resident {resident(broker.pid):.0f} MB", flush=True)
        before = time.monotonic()
        redrive = {"queue": "dead", "watermark": [], "filter": {"ids": [], "headers": []}, "canaryWaitMs": 10000, "dryRun": True}
        preview = call(http, "command", {"queue": {"_0": {"redrive": {"_0": redrive}}}})["preview"]
        print(f"dry run: {preview['go']:,} would go, in {time.monotonic() - before:.2f} s", flush=True)
        redrive["dryRun"] = False
        job = call(http, "command", {"queue": {"_0": {"redrive": {"_0": redrive}}}})["job"]
        while True:
            time.sleep(0.2)
            rows = call(http, "snapshot", {"jobs": {}, "historyPoints": 0})["jobs"]["rows"]
            row = next(row for row in rows if row["id"] == job)
            if "endedMs" in row:
                break
        seconds = (row["endedMs"] - row["startedMs"]) / 1000
        print(f"redrive: {row['state']}, {row['sent']:,} in {seconds:.2f} s = {row['sent'] / seconds:,.0f}/s; resident {resident(broker.pid):.0f} MB")
    finally:
        broker.terminate()
        broker.wait()
        shutil.rmtree(data)


main()
