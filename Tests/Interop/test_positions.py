"""Where to read from: by time, from the ends, and back to what was committed."""

import asyncio
import json

import aiokafka
import confluent_kafka
import kafka
import pytest
from clients import Confluent, Kcat, admin, create_topic
from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

START = 1_700_000_000_000


@pytest.fixture
def timed(broker):
    """Offsets 0…29: ten messages a second, each batch of ten with one timestamp, a second apart."""
    create_topic(broker, "timed")
    for second in range(3):
        producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka})
        for index in range(10):
            producer.produce("timed", value=f"{second}.{index}", timestamp=START + 1000 * second)
        assert producer.flush(10) == 0
    return broker


TIMES = [(0, 0), (START, 0), (START + 1, 10), (START + 1000, 10), (START + 1500, 20), (START + 2000, 20), (START + 2001, None)]


@pytest.mark.parametrize("ms, offset", TIMES)
def test_offsets_for_times_agree_in_all_clients(timed, ms, offset):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": timed.kafka, "group.id": "r"})
    [found] = consumer.offsets_for_times([TopicPartition("timed", 0, ms)], timeout=10)
    consumer.close()
    # librdkafka gives the end when no message is that late.
    assert found.offset == (confluent_kafka.OFFSET_END if offset is None else offset)

    consumer = kafka.KafkaConsumer(bootstrap_servers=timed.kafka)
    partition = kafka.TopicPartition("timed", 0)
    answer = consumer.offsets_for_times({partition: ms})[partition]
    consumer.close()
    assert (answer.offset if answer else None) == offset

    async def ask():
        consumer = aiokafka.AIOKafkaConsumer("timed", bootstrap_servers=timed.kafka)
        await consumer.start()
        try:
            partition = aiokafka.TopicPartition("timed", 0)
            answer = (await consumer.offsets_for_times({partition: ms}))[partition]
            return answer.offset if answer else None
        finally:
            await consumer.stop()

    assert asyncio.run(asyncio.wait_for(ask(), 20)) == offset


def test_kcat_queries_by_time(timed):
    assert Kcat.run(timed, "-Q", "-t", f"timed:0:{START + 1000}").split() == ["timed", "[0]", "offset", "10"]


@pytest.mark.parametrize(
    "spec, offset", [(OffsetSpec.earliest(), 0), (OffsetSpec.latest(), 30), (OffsetSpec.max_timestamp(), 20)], ids=["earliest", "latest", "max"])
def test_list_offsets(timed, spec, offset):
    [future] = admin(timed).list_offsets({TopicPartition("timed", 0): spec}).values()
    result = future.result(10)
    assert result.offset == offset or (offset == 20 and result.offset == 29 and result.timestamp == START + 2000)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_times_are_found_inside_compressed_batches(broker, codec):
    create_topic(broker, "packed")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka, "compression.type": codec, "linger.ms": 200})
    for index in range(100):
        producer.produce("packed", value=b"order " * 10, timestamp=START + 10 * min(index, 198 - 2 * index))
    assert producer.flush(10) == 0
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "r"})
    for ms, offset in [(0, 0), (1, 1), (10, 1), (155, 16), (660, 66)]:
        [found] = consumer.offsets_for_times([TopicPartition("packed", 0, START + ms)], timeout=10)
        assert found.offset == offset
    consumer.close()
    [future] = admin(broker).list_offsets({TopicPartition("packed", 0): OffsetSpec.max_timestamp()}).values()
    assert (future.result(10).offset, future.result(10).timestamp) == (66, START + 660)


def test_reading_starts_at_a_time(timed):
    lines = Kcat.run(timed, "-C", "-t", "timed", "-o", f"s@{START + 2000}", "-e", "-q", "-J").splitlines()
    assert [json.loads(line)["offset"] for line in lines] == list(range(20, 30))


def test_times_are_found_after_a_restart(broker):
    create_topic(broker, "long", **{"retention.ms": -1})
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka, "batch.num.messages": 10})
    for index in range(2000):
        producer.produce("long", value=b"x" * 400, timestamp=START + index * 10)
    assert producer.flush(30) == 0
    broker.restart()
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "r"})
    for index in [0, 1, 9, 10, 777, 1500, 1999]:
        [found] = consumer.offsets_for_times([TopicPartition("long", 0, START + index * 10 - 5)], timeout=10)
        assert found.offset == index
    consumer.close()


def test_a_position_outside_the_log_resets_as_the_client_asks(timed):
    for reset, first in [("earliest", 0), ("latest", None)]:
        consumer = confluent_kafka.Consumer({"bootstrap.servers": timed.kafka, "group.id": "r", "auto.offset.reset": reset})
        consumer.assign([TopicPartition("timed", 0, 1_000)])
        got = consumer.consume(1, timeout=3)
        consumer.close()
        assert (got[0].offset() if got else None) == first


def test_a_commit_and_its_metadata_come_back(timed):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": timed.kafka, "group.id": "resume", "enable.auto.commit": False})
    consumer.commit(offsets=[TopicPartition("timed", 0, 17, "half past")], asynchronous=False)
    [committed] = consumer.committed([TopicPartition("timed", 0)], timeout=10)
    consumer.close()
    assert (committed.offset, committed.metadata) == (17, "half past")
    reader = kafka.KafkaConsumer("timed", bootstrap_servers=timed.kafka, group_id="resume", enable_auto_commit=False)
    records = []
    while len(records) < 13:
        records += [record.offset for batch in reader.poll(timeout_ms=500).values() for record in batch]
    reader.close()
    assert records == list(range(17, 30))
    assert Confluent.read(timed, "timed", 30)[0] == (None, b"0.0")
