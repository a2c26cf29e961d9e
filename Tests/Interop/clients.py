"""The four clients behind one small interface: produce a list of (key, value), read a topic to its end."""

import asyncio
import json
import subprocess
import time

import aiokafka
import confluent_kafka
import kafka
from confluent_kafka.admin import AdminClient, NewTopic

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


ADMINS = []


def admin(broker):
    """A new admin client, kept until the test ends: one that is collected takes the answers it waits for with it."""
    ADMINS.append(AdminClient({"bootstrap.servers": broker.kafka, "log_level": 0}))
    return ADMINS[-1]


def create_topic(broker, name, partitions=1, **config):
    [future] = admin(broker).create_topics([NewTopic(name, partitions, 1, config={k: str(v) for k, v in config.items()})]).values()
    future.result(10)


def end_offsets(broker, topic, partitions=1):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "watermarks"})
    try:
        return [consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, p), timeout=10)[1] for p in range(partitions)]
    finally:
        consumer.close()


class Confluent:
    name = "confluent"

    @staticmethod
    def produce(broker, topic, messages, acks="all", codec="none", **config):
        failures = []
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": broker.kafka, "acks": acks, "compression.type": codec, "linger.ms": 20, "message.timeout.ms": 30000, **config})
        for key, value in messages:
            producer.produce(topic, key=key, value=value, on_delivery=lambda error, _: error and failures.append(error))
        assert producer.flush(40) == 0
        assert failures == []

    @staticmethod
    def read(broker, topic, count):
        consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": broker.kafka, "group.id": "reader", "auto.offset.reset": "earliest", "enable.partition.eof": False,
             "check.crcs": True, "enable.auto.commit": False})
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
        result, deadline = [], time.monotonic() + 30
        while len(result) < count and time.monotonic() < deadline:
            for message in consumer.consume(count, timeout=0.5):
                assert message.error() is None, message.error()
                result.append((message.key(), message.value()))
        consumer.close()
        return result


class KafkaPython:
    name = "kafka-python"

    @staticmethod
    def produce(broker, topic, messages, acks="all", codec="none", **config):
        config.setdefault("enable_idempotence", False)
        producer = kafka.KafkaProducer(
            bootstrap_servers=broker.kafka, acks=acks if acks == "all" else int(acks), compression_type=None if codec == "none" else codec,
            linger_ms=20, **config)
        futures = [producer.send(topic, key=key, value=value) for key, value in messages]
        producer.flush(timeout=30)
        for future in futures:
            future.get(timeout=10)
        producer.close(timeout=10)

    @staticmethod
    def read(broker, topic, count):
        consumer = kafka.KafkaConsumer(bootstrap_servers=broker.kafka, auto_offset_reset="earliest", enable_auto_commit=False)
        consumer.assign([kafka.TopicPartition(topic, 0)])
        result, deadline = [], time.monotonic() + 30
        while len(result) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=500).values():
                result += [(record.key, record.value) for record in records]
        consumer.close()
        return result


class AIOKafka:
    name = "aiokafka"

    @staticmethod
    def produce(broker, topic, messages, acks="all", codec="none", **config):
        async def work():
            producer = aiokafka.AIOKafkaProducer(
                bootstrap_servers=broker.kafka, acks=acks if acks == "all" else int(acks), compression_type=None if codec == "none" else codec,
                linger_ms=20, **config)
            await producer.start()
            try:
                futures = [await producer.send(topic, key=key, value=value) for key, value in messages]
                await asyncio.gather(*futures)
            finally:
                await producer.stop()

        asyncio.run(asyncio.wait_for(work(), 40))

    @staticmethod
    def read(broker, topic, count):
        async def work():
            consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=broker.kafka, auto_offset_reset="earliest", enable_auto_commit=False)
            await consumer.start()
            try:
                consumer.assign([aiokafka.TopicPartition(topic, 0)])
                result = []
                while len(result) < count:
                    for records in (await consumer.getmany(timeout_ms=500)).values():
                        result += [(record.key, record.value) for record in records]
                return result
            finally:
                await consumer.stop()

        return asyncio.run(asyncio.wait_for(work(), 40))


class Kcat:
    name = "kcat"

    @staticmethod
    def produce(broker, topic, messages, acks="all", codec="none"):
        text = "".join(f"{key.decode()}\t{value.decode()}\n" for key, value in messages)
        Kcat.run(broker, "-P", "-t", topic, "-K", "\t", "-z", codec, "-X", f"acks={acks}", input=text)

    @staticmethod
    def read(broker, topic, count):
        text = Kcat.run(broker, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-J")
        messages = [json.loads(line) for line in text.splitlines()]
        return [(m["key"].encode(), m["payload"].encode()) for m in messages]

    @staticmethod
    def run(broker, *arguments, input=None):
        run = subprocess.run(
            ["kcat", "-b", broker.kafka, *arguments], input=input, stdin=None if input is not None else subprocess.DEVNULL,
            capture_output=True, text=True, timeout=40)
        assert run.returncode == 0, run.stderr
        return run.stdout


ALL = {client.name: client for client in [Confluent, KafkaPython, AIOKafka, Kcat]}
