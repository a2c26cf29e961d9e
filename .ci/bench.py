"""See .ci/bench. usage: bench.py WEIR [--records N] [--rounds N]"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from machine import cpu_seconds, serve, warm

SIZE = 200
WIRE = 209  # bytes a record takes in a batch
GENERATOR = os.environ.get("RDKAFKA_PERFORMANCE")


def generator(*arguments):
    text = subprocess.run([GENERATOR, *arguments], capture_output=True, text=True, check=True)
    return int(re.findall(r"(\d+) msgs/s", text.stdout + text.stderr)[-1])


def produce(bootstrap, topic, records):
    """Records a second; bootstrap None is librdkafka's mock broker."""
    if GENERATOR:
        where = ["-X", "test.mock.num.brokers=1"] if bootstrap is None else ["-b", bootstrap]
        return generator("-P", "-t", topic, "-p", "0", "-s", str(SIZE), "-c", str(records), "-a", "1", "-q", "-X", "linger.ms=5", *where)
    settings = {"acks": 1, "linger.ms": 5, "queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1_000_000}
    settings.update({"test.mock.num.brokers": 1} if bootstrap is None else {"bootstrap.servers": bootstrap})
    producer = Producer(settings)
    producer.produce(topic, b"x", partition=0)
    producer.flush()
    batch = [{"value": b"x" * SIZE}] * 10_000
    start = time.monotonic()
    for _ in range(records // len(batch)):
        while len(producer) > 1_000_000:
            producer.poll(0.01)
        producer.produce_batch(topic, batch, partition=0)
    producer.flush()
    return int(records / (time.monotonic() - start))


def consume(bootstrap, topic, records):
    if GENERATOR:
        return generator("-C", "-b", bootstrap, "-t", topic, "-p", "0", "-o", "beginning", "-c", str(records), "-q")
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False, "check.crcs": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    start, seen = time.monotonic(), 0
    while seen < records:
        seen += len(consumer.consume(10_000, 5))
    rate = int(records / (time.monotonic() - start))
    consumer.close()
    return rate


def floor(weir, data, records):
    """Processor seconds per GB of a minimal loop that the same producer sends to."""
    sink = subprocess.Popen(
        [weir, "bench", "floor", "--kafka", "127.0.0.1:0", "--topic", "floor", "--directory", data], stderr=subprocess.PIPE, text=True)
    try:
        bootstrap = re.search(r"kafka=(\S+)", sink.stderr.readline()).group(1)
        before = cpu_seconds(sink.pid)
        rate = produce(bootstrap, "floor", records)
        return (cpu_seconds(sink.pid) - before) / (records * WIRE / 1e9), rate
    finally:
        sink.terminate()
        sink.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weir")
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    data = tempfile.mkdtemp(prefix="weir-bench-")
    broker, bootstrap, _ = serve(options.weir, data)
    gb = options.records * WIRE / 1e9
    rows = []
    try:
        for number in range(options.rounds):
            warm(data)
            mock = produce(None, "mock", options.records)
            warm(data)
            before = cpu_seconds(broker.pid)
            rate = produce(bootstrap, f"bench-{number}", options.records)
            cpu = (cpu_seconds(broker.pid) - before) / gb
            before = cpu_seconds(broker.pid)
            read = consume(bootstrap, f"bench-{number}", options.records)
            read_cpu = (cpu_seconds(broker.pid) - before) / gb
            warm(data)
            least, least_rate = floor(options.weir, data, options.records)
            rows.append((rate / mock, cpu / least, rate, mock, read, cpu, least, read_cpu, least_rate))
            print(
                f"round {number + 1}: produce {rate:,}/s, mock broker {mock:,}/s, ratio {rate / mock:.2f} | consume {read:,}/s | "
                f"cpu s/GB produce {cpu:.2f}, floor {least:.2f} (at {least_rate:,}/s), ratio {cpu / least:.2f}, consume {read_cpu:.2f}",
                flush=True)
    finally:
        broker.terminate()
        broker.wait()
        shutil.rmtree(data)
    median = [statistics.median(row[column] for row in rows) for column in range(9)]
    print(
        f"median: produce {median[2]:,.0f}/s = {median[0]:.2f} of the mock broker | consume {median[4]:,.0f}/s | "
        f"cpu s/GB {median[5]:.2f} = {median[1]:.2f} of the floor's {median[6]:.2f}, "
        f"which takes {median[8]:,.0f}/s")


main()
