"""kill -9 in the middle of produce: nothing acknowledged is lost, nothing of an idempotent producer comes twice."""

import random
import threading
import time

import confluent_kafka
import pytest
from clients import Confluent, KafkaPython, create_topic, end_offsets

KILLS = 3


def killing(broker, seed, stop):
    """Kills and restarts the broker at random moments until told to stop."""
    choose = random.Random(seed)
    for _ in range(KILLS):
        if stop.wait(choose.uniform(0.15, 0.9)):
            return
        broker.kill()
        broker.kills += 1
        time.sleep(choose.uniform(0, 0.3))
        broker.start()


def produce_under_fire(broker, seed, config, seconds=4.5):
    """Returns the acknowledged values in the order they were sent, and the number of those that failed."""
    stop, failures = threading.Event(), []
    broker.kills = 0
    killer = threading.Thread(target=lambda: run(killing, failures, broker, seed, stop))
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": broker.kafka, "acks": "all", "linger.ms": 1, "batch.num.messages": 50, "message.timeout.ms": 60_000,
         "reconnect.backoff.max.ms": 200, "queue.buffering.max.messages": 5_000, **config})
    acknowledged, lost = [], []

    def delivered(error, message):
        (lost if error else acknowledged).append(int(message.value()))

    killer.start()
    sent, end = 0, time.monotonic() + seconds
    while time.monotonic() < end or killer.is_alive():
        try:
            producer.produce("fire", value=str(sent), partition=0, on_delivery=delivered)
            sent += 1
        except BufferError:
            producer.poll(0.01)
        producer.poll(0)
        if sent % 200 == 0:
            time.sleep(0.002)
    stop.set()
    killer.join()
    assert failures == []
    assert broker.kills == KILLS and sent > 1_000
    assert producer.flush(60) == 0
    return acknowledged, lost, sent


def run(work, failures, *arguments):
    try:
        work(*arguments)
    except BaseException as error:  # carried to the test's own thread
        failures.append(error)


@pytest.mark.seconds(150)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_an_idempotent_producer_loses_and_doubles_nothing(broker, seed):
    create_topic(broker, "fire")
    acknowledged, lost, sent = produce_under_fire(broker, seed, {"enable.idempotence": True})
    assert lost == [] and len(acknowledged) == sent
    stored = [int(value) for _, value in Confluent.read(broker, "fire", end_offsets(broker, "fire")[0])]
    assert len(stored) == len(set(stored)), "something came twice"
    assert stored == list(range(sent)), "something is missing or out of order"


@pytest.mark.seconds(150)
@pytest.mark.parametrize("seed", [5, 6])
def test_a_plain_producer_loses_nothing_acknowledged(broker, seed):
    create_topic(broker, "fire")
    acknowledged, _, _ = produce_under_fire(broker, seed, {"enable.idempotence": False})
    stored = {int(value) for _, value in Confluent.read(broker, "fire", end_offsets(broker, "fire")[0])}
    assert set(acknowledged) <= stored


def test_sequences_go_on_after_a_restart(broker):
    """The producer lives through the broker's restart: its next sequence must be the one the broker expects."""
    create_topic(broker, "fire")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka, "enable.idempotence": True, "linger.ms": 0})
    for index in range(20):
        errors = []
        producer.produce("fire", value=str(index), on_delivery=lambda error, _: error and errors.append(error))
        assert producer.flush(30) == 0 and errors == []
        if index % 5 == 4:
            broker.kill()
            broker.start()
    assert [int(value) for _, value in Confluent.read(broker, "fire", 20)] == list(range(20))
    assert end_offsets(broker, "fire") == [20]


def test_kafka_python_produces_idempotently(broker):
    create_topic(broker, "fire")
    messages = [(b"k", str(index).encode()) for index in range(2000)]
    KafkaPython.produce(broker, "fire", messages, enable_idempotence=True)
    assert KafkaPython.read(broker, "fire", 2000) == messages
