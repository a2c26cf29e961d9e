"""See .ci/bench. Share-group consume and accept with one confluent-kafka ShareConsumer, by the producer's batch size. usage: bench_share.py WEIR [--records N] [--rounds N]"""
import argparse
import shutil
import statistics
import tempfile
import time

from confluent_kafka import Producer, ShareConsumer
from confluent_kafka.admin import AdminClient, NewTopic
from machine import cpu_seconds, serve

SIZE = 100


def produce(producer, topic, records):
    batch = [{"value": b"x" * SIZE}] * 10_000
    for first in range(0, records, len(batch)):
        while len(producer) > 500_000:
            producer.poll(0.01)
        producer.produce_batch(topic, batch[:records - first], partition=0)
    producer.flush()


def consume(bootstrap, topic, records):
    """Records a second from the first answer to the last; every record is accepted (implicit mode: by the next poll)."""
    consumer = ShareConsumer({"bootstrap.servers": bootstrap, "group.id": topic, "log_level": 0})
    consumer.subscribe([topic])
    start, seen, deadline = None, 0, time.monotonic() + 120
    while seen < records and time.monotonic() < deadline:
        seen += len(consumer.poll(1.0))
        if seen and start is None:
            start, first = time.monotonic(), seen
    took = time.monotonic() - start if start else 0
    consumer.poll(0.1)
    consumer.close()
    if seen < records:
        raise SystemExit(f"{topic}: {seen} of {records} records came")
    return (records - first) / took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("weir")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    data = tempfile.mkdtemp(prefix="weir-bench-")
    broker, bootstrap, _ = serve(options.weir, data)
    try:
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for size, records in [(10_000, options.records), (100, options.records), (1, options.records // 5)]:
            rates, cpu = [], []
            for number in range(options.rounds):
                topic = f"share-{size}-{number}"
                [made] = admin.create_topics([NewTopic(topic, 1, 1, config={"queue": "true"})]).values()
                made.result(10)
                producer = Producer(
                    {"bootstrap.servers": bootstrap, "acks": 1, "linger.ms": 5 if size > 1 else 0, "batch.num.messages": size,
                     "queue.buffering.max.messages": 2_000_000})
                produce(producer, topic, records)
                before = cpu_seconds(broker.pid)
                rates.append(consume(bootstrap, topic, records))
                cpu.append((cpu_seconds(broker.pid) - before) / records * 1e6)
            print(
                f"batches of {size:>6}: {statistics.median(rates):>10,.0f} records/s consumed and accepted (best {max(rates):,.0f}), "
                f"broker {statistics.median(cpu):.2f} s of processor time per million", flush=True)
    finally:
        broker.terminate()
        broker.wait()
        shutil.rmtree(data)


main()
