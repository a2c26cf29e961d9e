"""See .ci/bench. usage: bench.py WEIR [--records N] [--rounds N]"""
import argparse
import math
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

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


def start_mock_host(directory, records):
    """librdkafka's mock broker in a process of its own, filled for consumers; None without librdkafka's sources next to its generator."""
    source = Path(GENERATOR).resolve().parent.parent if GENERATOR else Path()
    if not (source / "src" / "librdkafka.a").exists():
        return None
    libraries = re.findall(r"^LIBS\s*\+?=\s*(.*)$", (source / "Makefile.config").read_text(), re.MULTILINE)
    program = os.path.join(directory, "mock_host")
    subprocess.run(
        ["cc", "-O2", "-w", "-D_GNU_SOURCE", f"-I{source}", f"-I{source}/src", Path(__file__).parent / "mock_host.c",
         source / "src" / "librdkafka.a", *" ".join(libraries).split(), "-o", program], check=True)
    host = subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    bootstrap = host.stdout.readline().strip()
    produce(bootstrap, "mock", records)
    return host, bootstrap


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
    host = start_mock_host(data, options.records)
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
            mock_read = consume(host[1], "mock", options.records) if host else None
            warm(data)
            least, least_rate = floor(options.weir, data, options.records)
            read_ratio = read / mock_read if host else math.nan
            rows.append((rate / mock, cpu / least, rate, mock, read, cpu, least, read_cpu, least_rate, read_ratio))
            print(
                f"round {number + 1}: produce {rate:,}/s, mock broker {mock:,}/s, ratio {rate / mock:.2f} | consume {read:,}/s"
                + (f", mock broker {mock_read:,}/s, ratio {read_ratio:.2f}" if host else "") + " | "
                f"cpu s/GB produce {cpu:.2f}, floor {least:.2f} (at {least_rate:,}/s), ratio {cpu / least:.2f}, consume {read_cpu:.2f}",
                flush=True)
    finally:
        for process in [broker] + ([host[0]] if host else []):
            process.terminate()
            process.wait()
        shutil.rmtree(data)
    median = [statistics.median(row[column] for row in rows) for column in range(10)]
    print(
        f"median: produce {median[2]:,.0f}/s = {median[0]:.2f} of the mock broker | consume {median[4]:,.0f}/s"
        + (f" = {median[9]:.2f} of the mock broker" if host else "") + " | "
        f"cpu s/GB {median[5]:.2f} = {median[1]:.2f} of the floor's {median[6]:.2f}, "
        f"which takes {median[8]:,.0f}/s")


main()
