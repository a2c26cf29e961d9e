"""Who is connected, as operators see it, and what a kill does to a real client."""

import time

import confluent_kafka
import pytest

import share
from broker import eventually
from clients import create_topic


def clients(broker):
    return broker.weir_json("client", "ls")


def test_a_client_is_listed_with_its_library_and_rates(broker):
    create_topic(broker, "orders")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka, "client.id": "till", "linger.ms": 1})

    def rate():
        for _ in range(200):
            producer.produce("orders", b"x" * 1_000)
        producer.flush(5)
        return max((row["inBytesRate"] for row in clients(broker) if row["client"] == "till"), default=0)

    eventually(lambda: rate() > 1_000, 15)
    rows = [row for row in clients(broker) if row["client"] == "till"]
    assert all(row["software"].startswith("confluent-kafka-python ") or row["software"].startswith("librdkafka ") for row in rows), rows
    assert all(row["door"] == "kafka" and row["address"].startswith("127.0.0.1:") for row in rows)
    assert all(abs(time.time() * 1000 - row["sinceMs"]) < 60_000 for row in rows)
    text = broker.weir("client", "ls", "--filter", "till")
    assert "till" in text and "127.0.0.1:" in text


def test_a_killed_connection_is_closed_and_audited(broker):
    create_topic(broker, "orders")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka, "client.id": "till", "log_level": 0})
    producer.produce("orders", b"1")
    assert producer.flush(10) == 0
    before = {row["id"] for row in clients(broker) if row["client"] == "till"}
    assert before
    assert "this closes the connection of client" in broker.weir("client", "kill", str(min(before)), expect=1)
    for number in before:
        assert "connection closed" in broker.weir("client", "kill", str(number), "--yes")
    eventually(lambda: not before & {row["id"] for row in clients(broker)}, 10)
    # The client lives: it connects again, as another one.
    producer.produce("orders", b"2")
    assert producer.flush(10) == 0
    assert "there is no client" in broker.weir("client", "kill", str(min(before)), "--yes", expect=1)
    assert any(row["command"] == f"weir client kill {min(before)} --yes" for row in broker.weir_json("audit"))


@pytest.mark.seconds(120)
def test_a_killed_consumer_of_a_queue_gives_back_what_it_held(broker):
    broker.weir("queue", "declare", "work")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka})
    for number in range(10):
        producer.produce("work", b"%d" % number)
    producer.flush(10)
    stuck = share.consumer(broker, "work", "work", **{"client.id": "stuck"})
    held = []
    deadline = time.monotonic() + 20
    while len(held) < 10 and time.monotonic() < deadline:
        held += stuck.poll(0.5)
    assert len(held) == 10

    def consumers():
        return broker.weir_json("queue", "describe", "work")[0]["consumerList"]

    row = next(row for row in consumers() if row["client"] == "stuck")
    assert row["unacked"] == 10
    assert any("work" in client["groups"] for client in clients(broker))
    broker.weir("client", "kill", row["id"], "--group", "work", "--yes")
    assert all(other["id"] != row["id"] or other["unacked"] == 0 for other in consumers())
    other = share.consumer(broker, "work", "work", **{"client.id": "other"})
    messages = share.poll(other, 10, 20)
    assert share.values(messages) == [b"%d" % number for number in range(10)]
    # The answers go with the next poll or commit.
    assert share.commit(other) == {}
    eventually(lambda: any(row["client"] == "other" and row["ackRate"] > 0 and row["lastAckMs"] is not None for row in consumers()), 10)
    other.close()
    stuck.close()
