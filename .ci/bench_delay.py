"""Ten million messages in the delay store: what they cost to publish, to keep and to start with, and how exactly others are released
meanwhile.
usage: bench_delay.py WEIR [--messages N] [--releases N]"""
import argparse
import json
import multiprocessing
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from machine import resident, serve, warm

PER_SECOND = 20_000
ROUNDS = 5


def started(weir, data):
    """A broker, its addresses, and the seconds until it served."""
    began = time.monotonic()
    return *serve(weir, data), time.monotonic() - began


def call(http, path, body):
    request = urllib.request.Request(f"http://{http}/weir/v1/{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def waiting(http):
    return call(http, "snapshot", {"delay": {}})["delay"]["delayed"]


def make(kafka, name, **settings):
    settings = {key.replace("_", "."): value for key, value in settings.items()}
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic(name, 1, 1, config=settings)]).values():
        future.result()


def produce(weir, kafka, topic, count, *more):
    line = [weir, "bench", "produce", "--json", "--no-progress", "--kafka", kafka, "--topic", topic, "--count", str(count), "--size", "200", *more]
    answer = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    return (answer[0] if isinstance(answer, list) else answer)["recordsPerSecond"]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def bare_timer(seconds, result):
    """How late a process wakes up that does nothing but wait for each millisecond."""
    late = []
    end = time.time() + seconds
    due = time.time() + 0.001
    while due < end:
        time.sleep(max(0, due - time.time()))
        late.append((time.time() - due) * 1_000)
        due += 0.001
    result.put((percentile(late, 0.5), percentile(late, 0.99)))


def lateness(kafka, count):
    """Publishes messages due 20,000 a second and reads when each was appended and when a consumer had it, against when it was due."""
    make(kafka, "timed", delay_enable="true", message_timestamp_type="LogAppendTime")
    producer = Producer({"bootstrap.servers": kafka, "linger.ms": 20, "queue.buffering.max.messages": 2_000_000})
    begin = time.time() + 5 + count / 100_000
    for number in range(count):
        due = str(int((begin + number / PER_SECOND) * 1_000)).encode()
        producer.produce("timed", due, headers=[("x-deliver-at", due)], partition=0)
        if number % 1_000 == 0:
            producer.poll(0)
    producer.flush()
    slack = begin - time.time()
    if slack < 0.5:
        raise SystemExit(f"publishing took {-slack:.1f} s too long to measure releases")
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "timed", "auto.offset.reset": "earliest", "fetch.wait.max.ms": 100})
    consumer.subscribe(["timed"])
    result = multiprocessing.Queue()
    timer = multiprocessing.Process(target=bare_timer, args=(begin - time.time() + count / PER_SECOND, result))
    timer.start()
    appended, seen = [], []
    deadline = begin + count / PER_SECOND + 20
    while len(seen) < count and time.time() < deadline:
        for message in consumer.consume(5_000, 0.05):
            if message.error():
                continue
            due = int(message.value())
            appended.append(message.timestamp()[1] - due)
            seen.append(time.time() * 1_000 - due)
    timer.join()
    if len(seen) < count:
        raise SystemExit(f"{len(seen)} of {count} messages came")
    if min(appended) < 0:
        raise SystemExit(f"a message came {-min(appended)} ms early")
    consumer.close()
    return result.get(), appended, seen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weir")
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--releases", type=int, default=400_000)
    options = parser.parse_args()
    data = tempfile.mkdtemp(prefix="weir-delay-")
    broker, kafka, http, _ = started(options.weir, data)
    try:
        make(kafka, "plain", queue="true")
        make(kafka, "each", queue="true", delay_enable="true")
        make(kafka, "all", queue="true", delay_ms="7200000")
        part = options.messages // 2 // ROUNDS
        header = ["--delay", "3600000..10800000"]
        produce(options.weir, kafka, "plain", part // 2)
        rates = {"plain": [], "plain, with the header": [], "each by its header": [], "all alike": []}
        before = resident(broker.pid)
        for _ in range(ROUNDS):
            for (name, found), (topic, more) in zip(rates.items(), (("plain", []), ("plain", header), ("each", header), ("all", []))):
                warm(data)
                found.append(produce(options.weir, kafka, topic, part, *more))
        for name, found in rates.items():
            print(f"publish {name:22}", " ".join(f"{rate / 1e6:5.2f}" for rate in found), f"M/s, median {statistics.median(found) / 1e6:.2f}")
        for delayed, plain in (("each by its header", "plain, with the header"), ("all alike", "plain")):
            ratio = statistics.median(a / b for a, b in zip(rates[delayed], rates[plain]))
            print(f"        {delayed}: {ratio:.2f} of an undelayed queue's rate")
        total = 2 * part * ROUNDS
        print(f"waiting {waiting(http)} of {total}")
        time.sleep(10)
        print(f"RSS {before:.0f} MB before, {resident(broker.pid):.0f} MB with {total} waiting")
        (p50, p99), appended, seen = lateness(kafka, options.releases)
        print(f"{options.releases} releases at {PER_SECOND}/s, late in ms: bare timer p50 {p50:.2f} p99 {p99:.2f}; appended p50"
              f" {percentile(appended, 0.5)} p99 {percentile(appended, 0.99)} max {max(appended)}; at a consumer p50"
              f" {percentile(seen, 0.5):.1f} p99 {percentile(seen, 0.99):.1f}")
        print(f"RSS {resident(broker.pid):.0f} MB afterwards")
        broker.kill()
        broker.wait()
        broker, kafka, http, took = started(options.weir, data)
        print(f"serving {took:.2f} s after a kill, {waiting(http)} waiting, RSS {resident(broker.pid):.0f} MB")
        broker.terminate()
        broker.wait()
        broker, kafka, http, took = started(options.weir, data)
        print(f"serving {took:.2f} s after a stop, {waiting(http)} waiting")
    finally:
        broker.kill()
        shutil.rmtree(data, ignore_errors=True)


main()
