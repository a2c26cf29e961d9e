"""Delayed publishing by unmodified Kafka producers: x-delay, x-deliver-at, a topic's own delay, every compression, and kill -9."""

import random
import time
from collections import Counter

import confluent_kafka
import kafka
import pytest
from broker import eventually
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


def make(broker, name, partitions=1, **settings):
    config = {key.replace("_", "."): value for key, value in settings.items()}
    admin = AdminClient({"bootstrap.servers": broker.kafka})
    for future in admin.create_topics([NewTopic(name, partitions, 1, config=config)]).values():
        future.result()


def producer(broker, **more):
    settings = {"bootstrap.servers": broker.kafka, "enable.idempotence": True, "linger.ms": 20, "reconnect.backoff.max.ms": 200,
                "message.timeout.ms": 120_000, "log_level": 0}
    return confluent_kafka.Producer(settings | {key.replace("_", "."): value for key, value in more.items()})


def read(broker, topic, count, partitions=1, seconds=20, quiet=0.5):
    """All records of a topic: at least `count`, and whatever comes within `quiet` seconds after."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "reader", "log_level": 0})
    consumer.assign([TopicPartition(topic, index, 0) for index in range(partitions)])
    records, deadline, last = [], time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < deadline and (len(records) < count or time.monotonic() - last < quiet):
        for message in consumer.consume(5_000, 0.1):
            assert message.error() is None, message.error()
            records.append(message)
            last = time.monotonic()
    consumer.close()
    return records


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_records_come_when_they_say(broker, codec):
    make(broker, "orders", delay_enable="true", message_timestamp_type="LogAppendTime")
    send = producer(broker, compression_type=codec)
    now = int(time.time() * 1000)
    due = {}
    for number in range(600):
        headers = [("kept", b"1")]
        if number % 3 == 1:
            headers.append(("x-delay", b"700"))
            due[str(number)] = now + 700
        if number % 3 == 2:
            due[str(number)] = now + 3_000 + number
            headers.append(("x-deliver-at", str(due[str(number)]).encode()))
        send.produce("orders", str(number), headers=headers)
    assert send.flush(20) == 0
    assert {int(message.value()) % 3 for message in read(broker, "orders", 200, quiet=0.1)} >= {0}
    records = read(broker, "orders", 600)
    assert Counter(message.value().decode() for message in records) == Counter(str(number) for number in range(600))
    for message in records:
        names = [name for name, _ in message.headers()]
        number = int(message.value())
        assert names == (["kept"] if number % 3 == 0 else ["kept", "weir.delay.handle"])
        assert message.timestamp()[1] >= due.get(str(number), 0), f"{number} is early"


def test_a_topics_delay_level_holds_for_kafka_python_too(broker):
    make(broker, "retries", delay_level="1")
    send = kafka.KafkaProducer(bootstrap_servers=broker.kafka, compression_type="gzip")
    began = time.time()
    for number in range(100):
        send.send("retries", str(number).encode())
    send.flush(20)
    records = read(broker, "retries", 100)
    assert time.time() - began >= 1
    assert [message.value().decode() for message in records] == [str(number) for number in range(100)]


def test_a_delay_that_is_none_is_refused_with_the_reason(broker):
    make(broker, "orders", delay_enable="true")
    errors = []
    send = producer(broker, enable_idempotence=False)
    send.produce("orders", "x", headers=[("x-delay", b"soon")], on_delivery=lambda error, _: errors.append(error))
    send.flush(20)
    assert errors[0].code() == confluent_kafka.KafkaError.INVALID_RECORD


def test_delayed_messages_are_counted_listed_cancelled_and_run_by_command(broker):
    broker.weir("queue", "declare", "orders", "--config", "delay.enable=true")
    send = producer(broker)
    for number in range(5):
        send.produce("orders", f"order-{number}", headers=[("x-delay", b"3600000")])
    assert send.flush(20) == 0
    assert eventually(lambda: broker.weir_json("queue", "ls")[0]["delayed"] == 5)
    rows = broker.weir_json("delay", "ls", "orders")
    ids = {row["value"]: row["id"] for row in rows}
    assert sorted(ids) == [f"order-{number}" for number in range(5)]
    broker.weir("delay", "cancel", "orders", ids["order-0"])
    broker.weir("delay", "run", "orders", ids["order-1"])
    assert [message.value() for message in read(broker, "orders", 1)] == [b"order-1"]
    broker.kill()
    broker.start()
    assert eventually(lambda: broker.weir_json("queue", "ls")[0]["delayed"] == 3)
    broker.weir("queue", "purge", "orders", "--delayed", "--yes")
    assert eventually(lambda: broker.weir_json("queue", "ls")[0]["delayed"] == 0)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_message_is_as_old_as_its_release(broker, end):
    make(broker, "orders", queue="true", delay_enable="true")
    send = producer(broker)
    hours_ago = int(time.time() * 1000) - 5 * 3_600_000
    send.produce("orders", "late", timestamp=hours_ago, headers=[("x-delay", "500")])
    assert send.flush(20) == 0

    def oldest():
        [row] = broker.weir_json("queue", "ls")
        return row["oldestMs"] if row["ready"] == 1 else None

    assert eventually(lambda: oldest() is not None)
    assert oldest() < 300_000
    getattr(broker, end)()
    broker.start()
    assert eventually(lambda: oldest() is not None)
    assert oldest() < 300_000


@pytest.mark.seconds(180)
def test_nothing_is_lost_early_or_twice_over_twenty_kills(broker):
    make(broker, "orders", 2, delay_enable="true", message_timestamp_type="LogAppendTime")
    choose = random.Random(5)
    send = producer(broker, queue_buffering_max_messages=1_000_000, linger_ms=5)
    due, failures = {}, []
    for _ in range(20):
        until = time.monotonic() + choose.uniform(0.4, 1.2)
        while time.monotonic() < until:
            for _ in range(choose.randint(1, 200)):
                delay = choose.choice([0, 0, choose.randint(1, 50), choose.randint(50, 1500), choose.randint(1000, 4000)])
                value = str(len(due))
                due[value] = int(time.time() * 1000) + delay
                send.produce(
                    "orders", value, partition=len(due) % 2, headers=[("x-delay", str(delay))] if delay else [],
                    on_delivery=lambda error, _: failures.append(error) if error else None)
            send.poll(0)
            time.sleep(0.01)
        broker.kill()
        broker.start()
    assert send.flush(60) == 0
    assert failures == []
    records = read(broker, "orders", len(due), 2, seconds=30, quiet=1)
    copies = Counter(message.value().decode() for message in records)
    assert {value: count for value, count in copies.items() if count > 1} == {}
    assert due.keys() - copies.keys() == set()
    assert [message.value() for message in records if message.timestamp()[1] < due[message.value().decode()]] == []
