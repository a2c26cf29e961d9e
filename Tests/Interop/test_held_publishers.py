"""Publishers that are held for want of disk, as a real client sees them, and what goes on meanwhile."""

import http.client
import re

import confluent_kafka
import pytest

import share
from clients import Confluent, create_topic


def get(broker, path):
    host, port = broker.http.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read().decode()


@pytest.mark.seconds(120)
def test_publishers_are_held_and_all_else_goes_on(broker):
    create_topic(broker, "orders", queue="true")
    Confluent.produce(broker, "orders", [(None, b"%d" % number) for number in range(5)])
    # No disk has so much.
    broker.flags = ("--disk-free-low", "1000TiB")
    broker.restart()
    told = []
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka, "enable.idempotence": True, "log_level": 0})
    producer.produce("orders", b"late", on_delivery=lambda error, _: told.append(error))
    # The client tries again and again.
    assert producer.flush(4) == 1 and told == []
    status, text = get(broker, "/weir/v1/health")
    assert status == 200 and '"status":"held"' in text and "publishers are held" in text
    _, text = get(broker, "/metrics")
    assert 'weir_publishers_held{cause="disk"} 1' in text and "weir_broken_shards 0" in text
    consumer = share.consumer(broker, "orders", "orders")
    assert share.values(share.poll(consumer, 5)) == [b"%d" % number for number in range(5)]
    assert share.commit(consumer) == {}
    consumer.close()
    broker.weir("queue", "declare", "another")
    broker.flags = ()
    broker.restart()
    assert producer.flush(30) == 0 and told == [None]
    consumer = share.consumer(broker, "orders", "orders")
    assert share.values(share.poll(consumer, 1)) == [b"late"]
    consumer.close()


def test_the_audit_log_says_who(broker):
    create_topic(broker, "orders")
    broker.weir("topic", "delete", "orders", "--yes")
    actors = {row["command"]: row["actor"] for row in broker.weir_json("audit")}
    assert actors["weir topic create orders --partitions 1"].startswith("kafka ")
    assert re.fullmatch(r"http \(claims \S+@\S+/\d+\)", actors["weir topic delete orders --yes"])
