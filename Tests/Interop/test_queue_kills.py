"""kill -9, over and over, while messages are delayed, delivered, retried, die and are redriven: the counts hold.

Message n lies in the queue's log once, and once more for each time it was redriven; in the dead-letter queue's log once for each death.
So `copies in orders - copies in orders.dlq` is 1 for a message that was accepted in the end and 0 for one that is dead: whatever else it is,
something was lost or doubled.
"""

import random
import subprocess
import threading
import time
from collections import Counter

import confluent_kafka
import pytest
from broker import BINARY
from clients import Confluent, end_offsets
from confluent_kafka import AcknowledgeType

KILLS = 20


class Shop:
    """A publisher and a consumer that go on whatever happens to the broker."""

    def __init__(self, broker, seed):
        self.broker, self.stop = broker, threading.Event()
        self.choose = random.Random(seed)
        self.confirmed, self.accepted, self.due, self.early, self.failures = set(), set(), {}, [], []
        self.rejected, self.returned_after_accept = set(), []

    def publish(self):
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": self.broker.kafka, "acks": "all", "enable.idempotence": True, "linger.ms": 2, "message.timeout.ms": 120_000,
             "reconnect.backoff.max.ms": 200})

        def delivered(error, message):
            if error is None:
                self.confirmed.add(int(message.value()))

        number = 0
        while not self.stop.is_set():
            headers = []
            if number % 3 == 0:
                delay = self.choose.randrange(50, 1500)
                self.due[number] = time.time() + delay / 1000
                headers = [("x-delay", str(delay).encode())]
            producer.produce("orders", value=str(number), headers=headers, on_delivery=delivered)
            number += 1
            producer.poll(0.004)
        assert producer.flush(60) == 0
        self.sent = number

    def consume(self, drain=False, quiet=8):
        consumer = confluent_kafka.ShareConsumer(
            {"bootstrap.servers": self.broker.kafka, "group.id": "orders", "share.acknowledgement.mode": "explicit",
             "reconnect.backoff.max.ms": 200, "socket.timeout.ms": 5_000})
        consumer.subscribe(["orders"])
        last = time.monotonic()
        try:
            while not self.stop.is_set() if not drain else time.monotonic() - last < quiet:
                accepted, rejected = set(), set()
                for message in consumer.poll(0.3):
                    if message.error():
                        continue
                    last = time.monotonic()
                    number = int(message.value())
                    if time.time() < self.due.get(number, 0) - 0.002:
                        self.early.append(number)
                    if number in self.accepted:
                        self.returned_after_accept.append(number)
                    kind = AcknowledgeType.ACCEPT if drain else self.choose.choices(
                        [AcknowledgeType.ACCEPT, AcknowledgeType.RELEASE, AcknowledgeType.REJECT], [7, 2, 1])[0]
                    consumer.acknowledge(message, kind)
                    if kind == AcknowledgeType.ACCEPT:
                        accepted.add(number)
                    if kind == AcknowledgeType.REJECT:
                        rejected.add(number)
                try:
                    results = consumer.commit_sync(10)
                except confluent_kafka.KafkaException:
                    continue
                if all(error is None for error in results.values()):
                    self.accepted |= accepted
                    self.rejected |= rejected
        finally:
            consumer.close()

    def run(self, work, *arguments):
        try:
            work(*arguments)
        except BaseException as error:  # noqa: BLE001: told by the test
            self.failures.append(error)


def redrive(broker):
    """As an operator would; the broker may be away at any moment of it."""
    subprocess.run(
        [BINARY, "redrive", "orders.dlq", "--detach", "--http", broker.http], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)


@pytest.mark.seconds(240)
def test_counts_hold_over_twenty_kills(broker):
    broker.weir("queue", "declare", "orders", "--retry-backoff", "100ms,2,400ms", "--delivery-limit", "3", "--dead-letter", "auto",
                "--config", "delay.enable=true")
    shop = Shop(broker, seed=3)
    workers = [threading.Thread(target=shop.run, args=(work,)) for work in (shop.publish, shop.consume)]
    for worker in workers:
        worker.start()
    choose = random.Random(11)
    for kill in range(KILLS):
        time.sleep(choose.uniform(0.5, 1.6))
        if kill % 3 == 2:
            redrive(broker)
            time.sleep(choose.uniform(0, 0.3))
        broker.kill()
        time.sleep(choose.uniform(0, 0.2))
        broker.start()
    shop.stop.set()
    for worker in workers:
        worker.join()
    assert shop.failures == []
    shop.stop.clear()
    shop.consume(drain=True)

    [row] = [row for row in broker.weir_json("queue", "ls") if row["name"] == "orders"]
    assert (row["ready"], row["unacked"], row["delayed"], row["retrying"]) == (0, 0, 0, 0)
    copies = Counter(read(broker, "orders"))
    deaths = Counter(read(broker, "orders.dlq"))
    assert len(shop.confirmed) > 300 and shop.accepted and shop.rejected and deaths and shop.due
    lost = {n for n in shop.confirmed if copies[n] == 0}
    assert not lost, f"{len(lost)} confirmed messages are nowhere, such as {sorted(lost)[:5]}"
    wrong = {n: (copies[n], deaths[n]) for n in copies if copies[n] - deaths[n] not in (0, 1)}
    assert not wrong, f"message: (copies, deaths) {dict(list(wrong.items())[:5])}"
    undone = {n for n in shop.accepted if copies[n] - deaths[n] != 1}
    assert not undone, f"accepted, and yet dead: {sorted(undone)[:5]}"
    assert shop.early == [] and shop.returned_after_accept == []


def read(broker, topic):
    [end] = end_offsets(broker, topic)
    return [int(value) for _, value in Confluent.read(broker, topic, end)]
