"""Space: a stuck message does not pin the log behind it, and clients read across what was freed."""

import time
from pathlib import Path

import confluent_kafka
import kafka
import pytest
import share
from broker import eventually
from clients import Confluent, admin, create_topic
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from share import ACCEPT, RELEASE

PAYLOAD = b"x" * 1_000
MESSAGES = 20_000


def topic_bytes(broker, topic):
    return next(row["bytes"] for row in broker.weir_json("topic", "ls") if row["name"] == topic)


def segments(broker):
    return sorted(path.name for path in Path(broker.data).glob("shard-*/*-0/*.log"))


def settle(broker, group, count):
    """A consumer of a queue that takes everything but the message `stuck`."""
    consumer = share.consumer(broker, group, group)
    try:
        messages = share.poll(consumer, count, 60, lambda m: RELEASE if m.value() == b"stuck" else ACCEPT)
        assert share.commit(consumer) == {}
        return messages
    finally:
        consumer.close()


def read_all(broker, topic, end):
    """A plain consumer's way from the first offset to the end, by librdkafka."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "reader", "log_level": 0})
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    messages, deadline = [], time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is None:
                continue
            assert message.error() is None, message.error()
            messages.append((message.offset(), message.value()))
            if message.offset() + 1 >= end:
                return messages
    finally:
        consumer.close()
    raise AssertionError(f"got {len(messages)} messages, the last at {messages[-1:]}, not the end {end}")


@pytest.mark.seconds(180)
def test_a_stuck_message_pins_nothing(broker):
    broker.flags = ("--retention-check", "500ms")
    broker.restart()
    create_topic(
        broker, "orders", queue="true",
        **{"retry.levels": "20s", "retention.settled.ms": "300", "segment.bytes": "1048576"})
    Confluent.produce(broker, "orders", [(None, b"stuck")])
    released = time.monotonic()
    assert [m.value() for m in settle(broker, "orders", 1)] == [b"stuck"]
    Confluent.produce(broker, "orders", [(None, b"%06d" % n + PAYLOAD) for n in range(MESSAGES)])
    eventually(lambda: topic_bytes(broker, "orders") > MESSAGES * 1_000)
    settle(broker, "orders", MESSAGES)
    eventually(lambda: topic_bytes(broker, "orders") < 2_500_000, 15)
    before = read_all(broker, "orders", MESSAGES + 1)
    assert before[0] == (0, b"stuck") and len(before) < 2_500
    assert [offset for offset, _ in before] == sorted({offset for offset, _ in before})

    broker.kill()
    broker.start()
    assert 0 < eventually(lambda: topic_bytes(broker, "orders")) < 2_500_000
    assert read_all(broker, "orders", MESSAGES + 1) == before
    # The same by kafka-python, which checks offsets in its own way.
    python = kafka.KafkaConsumer(bootstrap_servers=broker.kafka, auto_offset_reset="none", consumer_timeout_ms=4_000)
    python.assign([kafka.TopicPartition("orders", 0)])
    python.seek(kafka.TopicPartition("orders", 0), 5)
    assert [m.offset for m in python] == [offset for offset, _ in before if offset >= 5]
    python.close()
    # The stuck message comes when it is due.
    consumer = share.consumer(broker, "orders", "orders")
    messages = share.poll(consumer, 1, 40)
    assert [(m.value(), m.delivery_count()) for m in messages] == [(b"stuck", 2)]
    assert time.monotonic() - released > 15
    assert share.commit(consumer) == {}
    consumer.close()
    eventually(lambda: topic_bytes(broker, "orders") == 0, 15)


def test_segments_are_divided_as_the_topic_says(broker):
    create_topic(broker, "parts", **{"segment.bytes": "1048576", "segment.ms": "60000"})
    configs = {c.name: c.value for c in described_configs(broker, "parts")}
    assert configs["segment.bytes"] == "1048576" and configs["segment.ms"] == "60000"
    for value, name in [("1000", "segment.bytes"), ("0", "segment.ms")]:
        assert altered(broker, "parts", name, value) == confluent_kafka.KafkaError.INVALID_CONFIG
    # What is committed together goes into one segment, so each half a megabyte is waited for.
    for _ in range(10):
        Confluent.produce(broker, "parts", [(None, PAYLOAD)] * 500)
    divided = len(segments(broker))
    assert divided >= 4
    assert altered(broker, "parts", "segment.bytes", "1073741824") is None
    for _ in range(10):
        Confluent.produce(broker, "parts", [(None, PAYLOAD)] * 500)
    assert len(segments(broker)) <= divided + 1


def described_configs(broker, topic):
    resource = ConfigResource(ResourceType.TOPIC, topic)
    return admin(broker).describe_configs([resource])[resource].result(10).values()


def altered(broker, topic, name, value):
    """The error code of a change; None when it was taken."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    try:
        admin(broker).incremental_alter_configs([resource])[resource].result(10)
    except confluent_kafka.KafkaException as error:
        return error.args[0].code()
    return None
