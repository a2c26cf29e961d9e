"""Consumer groups: members join, leave and crash; positions are kept over all of it."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import confluent_kafka
import pytest
from broker import eventually
from clients import Confluent, admin, create_topic

MEMBERS = ["confluent", "kafka-python", "aiokafka"]


class Member:
    def __init__(self, client, broker, topic="t", group="g"):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("member.py")), client, broker.kafka, topic, group], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.assigned = None
        self.messages = []
        self.stderr = []
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=lambda: self.stderr.extend(self.process.stderr), daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if "assigned" in event:
                self.assigned = event["assigned"]
            elif "offset" in event:
                self.messages.append((event["partition"], event["offset"]))

    def owns(self, count):
        return eventually(lambda: self.assigned if self.assigned is not None and len(self.assigned) == count else None, 40)

    def leave(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, "".join(self.stderr[-20:])

    def crash(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def members():
    started = []

    def start(*arguments, **named):
        started.append(Member(*arguments, **named))
        return started[-1]

    yield start
    for member in started:
        member.crash()


def produce(broker, count, topic="t"):
    Confluent.produce(broker, topic, [(str(i).encode(), b"v") for i in range(count)])


def seen(*members):
    return {message for member in members for message in member.messages}


def described(broker, group="g"):
    return admin(broker).describe_consumer_groups([group])[group].result(10)


@pytest.mark.parametrize("client", MEMBERS)
def test_members_share_join_and_leave(broker, members, client):
    create_topic(broker, "t", 4)
    first = members(client, broker)
    assert first.owns(4) == [0, 1, 2, 3]
    second = members(client, broker)
    assert sorted(first.owns(2) + second.owns(2)) == [0, 1, 2, 3]
    group = described(broker)
    assert (group.state, len(group.members)) == (confluent_kafka.ConsumerGroupState.STABLE, 2)
    produce(broker, 200)
    eventually(lambda: len(seen(first, second)) == 200)
    assert first.messages and second.messages
    assert len(first.messages) + len(second.messages) == 200, "a message was delivered twice without a rebalance"
    second.leave()
    assert first.owns(4) == [0, 1, 2, 3]
    produce(broker, 40)
    eventually(lambda: len(seen(first, second)) == 240)
    first.leave()
    assert described(broker).state == confluent_kafka.ConsumerGroupState.EMPTY


@pytest.mark.parametrize("client", MEMBERS)
def test_a_crashed_member_is_replaced(broker, members, client):
    create_topic(broker, "t", 4)
    first, second = members(client, broker), members(client, broker)
    first.owns(2), second.owns(2)
    produce(broker, 100)
    eventually(lambda: len(seen(first, second)) == 100)
    second.crash()
    produce(broker, 100)
    # The session times out after 6 s.
    assert first.owns(4) == [0, 1, 2, 3]
    eventually(lambda: len(seen(first, second)) == 200)


def test_members_of_different_clients_share_a_group(broker, members):
    create_topic(broker, "t", 4)
    first, second = members("confluent", broker), members("kafka-python", broker)
    assert sorted(first.owns(2) + second.owns(2)) == [0, 1, 2, 3]
    produce(broker, 100)
    eventually(lambda: len(seen(first, second)) == 100)


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("client", MEMBERS)
def test_committed_positions_survive_the_broker(broker, members, client, crash):
    create_topic(broker, "t", 2)
    produce(broker, 100)
    first = members(client, broker)
    eventually(lambda: len(seen(first)) == 100)
    first.leave()
    if crash:
        broker.kill()
        broker.start()
    else:
        broker.restart()
    produce(broker, 10)
    second = members(client, broker)
    eventually(lambda: len(second.messages) >= 10)
    assert len(second.messages) == 10 and not seen(first) & seen(second)


def test_a_member_outlives_the_brokers_restart(broker, members):
    create_topic(broker, "t", 2)
    member = members("confluent", broker)
    member.owns(2)
    produce(broker, 50)
    eventually(lambda: len(seen(member)) == 50)
    broker.restart()
    produce(broker, 50)
    eventually(lambda: len(seen(member)) == 100, 40)
