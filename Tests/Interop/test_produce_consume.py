"""Every client, every acks, every compression: what goes in comes out, in order."""

import time

import confluent_kafka
import pytest
from broker import eventually
from clients import ALL, CODECS, AIOKafka, Confluent, KafkaPython, create_topic, end_offsets

MESSAGES = [(f"k{i}".encode(), (f"value {i} " + "x" * (i % 300)).encode()) for i in range(500)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("acks", ["0", "1", "all"])
@pytest.mark.parametrize("client", ALL)
def test_what_goes_in_comes_out(broker, client, acks, codec):
    create_topic(broker, "orders")
    ALL[client].produce(broker, "orders", MESSAGES, acks, codec)
    eventually(lambda: end_offsets(broker, "orders") == [500])
    assert ALL[client].read(broker, "orders", 500) == MESSAGES


@pytest.mark.parametrize("codec", CODECS)
def test_every_client_reads_what_the_others_wrote(broker, codec):
    create_topic(broker, "shared")
    for client in ALL.values():
        client.produce(broker, "shared", MESSAGES[:100], codec=codec)
    for client in ALL.values():
        assert client.read(broker, "shared", 400) == MESSAGES[:100] * 4, client.name


def test_headers_timestamps_and_empty_values_survive(broker):
    create_topic(broker, "odd")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka})
    producer.produce("odd", key=None, value=None, headers=[("a", b"1"), ("a", None), ("é", b"")], timestamp=1_700_000_000_123)
    producer.produce("odd", key=b"", value=b"", timestamp=1_700_000_000_124)
    assert producer.flush(10) == 0
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "r"})
    consumer.assign([confluent_kafka.TopicPartition("odd", 0, 0)])
    first, second = eventually(lambda: consumer.consume(2, timeout=5))
    consumer.close()
    assert (first.key(), first.value(), first.headers()) == (None, None, [("a", b"1"), ("a", None), ("é", b"")])
    assert first.timestamp() == (confluent_kafka.TIMESTAMP_CREATE_TIME, 1_700_000_000_123)
    assert (second.key(), second.value(), second.offset()) == (b"", b"", 1)


@pytest.mark.parametrize("client", ALL)
def test_a_topic_comes_to_be_when_it_is_written_to(broker, client):
    ALL[client].produce(broker, "fresh", MESSAGES[:3])
    assert ALL[client].read(broker, "fresh", 3) == MESSAGES[:3]


@pytest.mark.parametrize("client", [Confluent, KafkaPython, AIOKafka], ids=lambda c: c.name)
def test_a_megabyte_fits_in_a_message(broker, client):
    create_topic(broker, "large", **{"max.message.bytes": 8_000_000})
    size = 900_000
    client.produce(broker, "large", [(b"k", bytes([i]) * size) for i in range(5)])
    assert [(k, len(v), v[0]) for k, v in client.read(broker, "large", 5)] == [(b"k", size, i) for i in range(5)]


def test_a_batch_too_large_is_refused_with_its_own_error(broker):
    create_topic(broker, "small", **{"max.message.bytes": 10_000})
    errors = []
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka})
    producer.produce("small", value=b"x" * 50_000, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(20) == 0
    assert errors[0].code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE
    Confluent.produce(broker, "small", MESSAGES[:1])


def test_a_waiting_fetch_is_woken_by_a_produce(broker):
    create_topic(broker, "wake")
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": broker.kafka, "group.id": "r", "fetch.wait.max.ms": 10_000, "fetch.min.bytes": 1})
    consumer.assign([confluent_kafka.TopicPartition("wake", 0, 0)])
    assert consumer.consume(1, timeout=1) == []
    start = time.monotonic()
    Confluent.produce(broker, "wake", MESSAGES[:1], **{"linger.ms": 0})
    assert len(consumer.consume(1, timeout=9)) == 1
    assert time.monotonic() - start < 3
    consumer.close()


def test_records_survive_a_restart(broker):
    create_topic(broker, "kept", partitions=1)
    Confluent.produce(broker, "kept", MESSAGES, codec="lz4")
    broker.restart()
    assert Confluent.read(broker, "kept", 500) == MESSAGES
    Confluent.produce(broker, "kept", MESSAGES[:10])
    assert end_offsets(broker, "kept") == [510]
