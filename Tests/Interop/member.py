"""One member of a consumer group in a process of its own: `member.py CLIENT BOOTSTRAP TOPIC GROUP`.

Prints a JSON line for each new assignment and each message. SIGTERM leaves the group, SIGKILL is a crash.
"""

import asyncio
import json
import signal
import sys

stopping = False


def stop(*_):
    global stopping
    stopping = True


def say(**fields):
    print(json.dumps(fields), flush=True)


def confluent(bootstrap, topic, group):
    from confluent_kafka import Consumer

    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
         "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, "partition.assignment.strategy": "range"})

    def assigned(consumer, partitions):
        say(assigned=sorted(p.partition for p in partitions))

    consumer.subscribe([topic], on_assign=assigned, on_revoke=lambda *_: None)
    while not stopping:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            say(error=str(message.error()))
            continue
        consumer.commit(message, asynchronous=False)
        say(partition=message.partition(), offset=message.offset())
    consumer.close()


def kafka_python(bootstrap, topic, group):
    from kafka import KafkaConsumer
    from kafka.coordinator.assignors.range import RangePartitionAssignor

    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=6000,
        heartbeat_interval_ms=500, partition_assignment_strategy=[RangePartitionAssignor])
    last = None
    while not stopping:
        for records in consumer.poll(timeout_ms=100).values():
            consumer.commit()
            for record in records:
                say(partition=record.partition, offset=record.offset)
        now = sorted(p.partition for p in consumer.assignment())
        if now != last:
            say(assigned=now)
            last = now
    consumer.close()


def aio(bootstrap, topic, group):
    import aiokafka

    async def work():
        consumer = aiokafka.AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=6000,
            heartbeat_interval_ms=500)
        await consumer.start()
        last = None
        while not stopping:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                try:
                    await consumer.commit()
                except aiokafka.errors.CommitFailedError as error:
                    say(error=str(error))
                for record in records:
                    say(partition=record.partition, offset=record.offset)
            now = sorted(p.partition for p in consumer.assignment())
            if now != last:
                say(assigned=now)
                last = now
        await consumer.stop()

    asyncio.run(work())


signal.signal(signal.SIGTERM, stop)
{"confluent": confluent, "kafka-python": kafka_python, "aiokafka": aio}[sys.argv[1]](*sys.argv[2:5])
