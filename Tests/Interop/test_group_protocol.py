"""Corners of the group protocol: static members, incremental rebalances, many members at once, commits that are refused."""

import asyncio
import time

import aiokafka
import confluent_kafka
import kafka
import pytest
from broker import eventually
from clients import Confluent, admin, create_topic
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition


class Live:
    """A consumer that is polled by hand and keeps what it was told."""

    def __init__(self, broker, topic="t", group="g", **config):
        self.errors, self.seen, self.assignments, self.revoked, self.lost = [], [], 0, 0, 0
        self.consumer = Consumer(
            {"bootstrap.servers": broker.kafka, "group.id": group, "auto.offset.reset": "earliest", "session.timeout.ms": 6000,
             "heartbeat.interval.ms": 300, "enable.auto.commit": False, "partition.assignment.strategy": "range",
             "error_cb": lambda error: self.errors.append(error.code()), **config})
        self.consumer.subscribe([topic], on_assign=self.assign, on_revoke=self.revoke, on_lost=self.lose)

    def assign(self, consumer, partitions):
        self.assignments += 1

    def revoke(self, consumer, partitions):
        self.revoked += len(partitions)

    def lose(self, consumer, partitions):
        self.lost += len(partitions)

    def poll(self, seconds=0.05):
        message = self.consumer.poll(seconds)
        if message is not None:
            if message.error():
                self.errors.append(message.error().code())
            else:
                self.seen.append((message.partition(), message.offset()))
        return self

    @property
    def partitions(self):
        return sorted(p.partition for p in self.consumer.assignment())


def spread(*members):
    """Polls all until every partition of a four-partition topic is owned once."""

    def owned():
        for member in members:
            member.poll()
        return sorted(p for member in members for p in member.partitions) == [0, 1, 2, 3] and all(m.partitions for m in members)

    eventually(owned, 40, every=0)


def poll_for(seconds, *members):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for member in members:
            member.poll()


def test_a_static_member_comes_back_to_its_partitions_without_a_rebalance(broker):
    create_topic(broker, "t", 4)
    first, second = (Live(broker, **{"group.instance.id": name}) for name in ["i1", "i2"])
    spread(first, second)
    before, assignments = second.partitions, first.assignments
    second.consumer.close()  # a static member says nothing when it goes
    poll_for(2, first)
    second = Live(broker, **{"group.instance.id": "i2"})
    spread(first, second)
    assert second.partitions == before
    assert (first.assignments, first.revoked) == (assignments, 0), "the other member was disturbed"
    # The leader of the group comes back in the same way, whichever of the two it is.
    before, assignments = first.partitions, second.assignments
    first.consumer.close()
    first = Live(broker, **{"group.instance.id": "i1"})
    spread(first, second)
    assert (first.partitions, second.assignments, second.revoked) == (before, assignments, 0)
    described = admin(broker).describe_consumer_groups(["g"])["g"].result(10)
    assert sorted(member.group_instance_id for member in described.members) == ["i1", "i2"]
    first.consumer.close(), second.consumer.close()


def test_a_static_member_that_stays_away_is_replaced(broker):
    create_topic(broker, "t", 4)
    first, second = (Live(broker, **{"group.instance.id": name}) for name in ["i1", "i2"])
    spread(first, second)
    second.consumer.close()
    started = time.monotonic()
    eventually(lambda: first.poll().partitions == [0, 1, 2, 3], 30, every=0)
    assert time.monotonic() - started > 4, "its place was given away before its session had ended"
    first.consumer.close()


def test_the_second_of_two_twins_fences_the_first(broker):
    create_topic(broker, "t", 4)
    first = Live(broker, **{"group.instance.id": "twin"})
    eventually(lambda: first.poll().partitions == [0, 1, 2, 3], 30, every=0)
    second = Live(broker, **{"group.instance.id": "twin"})
    fenced = {KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL}
    eventually(lambda: second.poll() and first.poll() and fenced & set(first.errors), 30, every=0)
    eventually(lambda: second.poll().partitions == [0, 1, 2, 3], 30, every=0)
    second.consumer.close(), first.consumer.close()


def test_an_administrator_removes_a_static_member(broker):
    create_topic(broker, "t", 4)
    first, second = (Live(broker, **{"group.instance.id": name}) for name in ["i1", "i2"])
    spread(first, second)
    second.consumer.close()
    client = kafka.KafkaAdminClient(bootstrap_servers=broker.kafka)
    if not hasattr(client, "remove_group_members"):
        pytest.skip("this kafka-python cannot remove members")
    from kafka.admin import MemberToRemove

    client.remove_group_members("g", [MemberToRemove(group_instance_id="i2")])
    client.close()
    started = time.monotonic()
    eventually(lambda: first.poll().partitions == [0, 1, 2, 3], 30, every=0)
    assert time.monotonic() - started < 5
    first.consumer.close()


def test_cooperative_members_keep_what_they_have(broker):
    create_topic(broker, "t", 4)
    cooperative = {"partition.assignment.strategy": "cooperative-sticky"}
    first = Live(broker, **cooperative)
    eventually(lambda: first.poll().partitions == [0, 1, 2, 3], 30, every=0)
    second = Live(broker, **cooperative)
    spread(first, second)
    assert first.revoked == 2 and first.lost == 0, "more was revoked than was moved"
    first.consumer.close()
    eventually(lambda: second.poll().partitions == [0, 1, 2, 3], 30, every=0)
    assert second.revoked == 0
    second.consumer.close()


@pytest.mark.seconds(180)
def test_twenty_members_come_at_once_and_go_one_by_one(broker):
    create_topic(broker, "wide", 20)
    members = [Live(broker, topic="wide", group="many") for _ in range(20)]

    def settled():
        for member in members:
            member.poll(0.01)
        return sorted(p for member in members for p in member.partitions) == list(range(20)) and all(m.partitions for m in members)

    eventually(settled, 60, every=0)
    Confluent.produce(broker, "wide", [(str(i).encode(), b"v") for i in range(400)])
    eventually(lambda: settled() and sum(len(m.seen) for m in members) >= 400, 30, every=0)
    assert len({m for member in members for m in member.seen}) == 400
    while len(members) > 1:
        members.pop().consumer.close()
        if len(members) % 6 == 1:
            eventually(settled if len(members) > 1 else lambda: members[0].poll().partitions == list(range(20)), 60, every=0)
    members[0].consumer.close()
    assert admin(broker).describe_consumer_groups(["many"])["many"].result(10).state == confluent_kafka.ConsumerGroupState.EMPTY


def test_members_with_nothing_in_common_are_refused(broker):
    create_topic(broker, "t", 4)
    first = Live(broker)
    eventually(lambda: first.poll().partitions == [0, 1, 2, 3], 30, every=0)
    other = Live(broker, **{"partition.assignment.strategy": "cooperative-sticky"})
    eventually(lambda: first.poll() and KafkaError.INCONSISTENT_GROUP_PROTOCOL in other.poll().errors, 30, every=0)
    assert first.partitions == [0, 1, 2, 3]
    other.consumer.close(), first.consumer.close()


def test_commits_that_are_refused(broker):
    create_topic(broker, "t", 4)
    live = Live(broker)
    eventually(lambda: live.poll().partitions == [0, 1, 2, 3], 30, every=0)
    def refusal(consumer, partition):
        with pytest.raises(KafkaException) as refused:
            consumer.commit(offsets=[partition], asynchronous=False)
        return refused.value.args[0].code()

    outsider = Consumer({"bootstrap.servers": broker.kafka, "group.id": "g"})
    assert refusal(outsider, TopicPartition("t", 0, 5)) == KafkaError.UNKNOWN_MEMBER_ID
    outsider.close()
    alone = Consumer({"bootstrap.servers": broker.kafka, "group.id": "alone"})
    assert refusal(alone, TopicPartition("t", 0, 5, "x" * 5000)) == KafkaError.OFFSET_METADATA_TOO_LARGE
    assert refusal(alone, TopicPartition("none", 0, 5)) == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert refusal(alone, TopicPartition("t", 4, 5)) == KafkaError.UNKNOWN_TOPIC_OR_PART
    # 4,096 bytes are allowed; this client counts a terminating zero.
    [kept] = alone.commit(offsets=[TopicPartition("t", 3, 5, "x" * 4095)], asynchronous=False)
    assert kept.error is None
    alone.close()
    live.consumer.close()


def test_groups_are_listed_by_state(broker):
    create_topic(broker, "t", 4)
    live = Live(broker, group="busy")
    eventually(lambda: live.poll().partitions == [0, 1, 2, 3], 30, every=0)
    idle = Consumer({"bootstrap.servers": broker.kafka, "group.id": "idle"})
    idle.commit(offsets=[TopicPartition("t", 0, 5)], asynchronous=False)
    idle.close()

    def listed(*states):
        return sorted(g.group_id for g in admin(broker).list_consumer_groups(states=set(states)).result(10).valid)

    assert listed() == ["busy", "idle"]
    assert listed(confluent_kafka.ConsumerGroupState.STABLE) == ["busy"]
    assert listed(confluent_kafka.ConsumerGroupState.EMPTY) == ["idle"]
    live.consumer.close()


def test_an_aiokafka_member_survives_the_brokers_kill(broker):
    create_topic(broker, "t", 2)
    Confluent.produce(broker, "t", [(str(i).encode(), b"v") for i in range(50)])

    async def work():
        consumer = aiokafka.AIOKafkaConsumer(
            "t", bootstrap_servers=broker.kafka, group_id="g", auto_offset_reset="earliest", enable_auto_commit=False,
            session_timeout_ms=10000, heartbeat_interval_ms=500)
        await consumer.start()
        try:
            seen = []

            async def read(count):
                while len(seen) < count:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        seen.extend((r.partition, r.offset) for r in records)

            await read(50)
            await consumer.commit()
            broker.kill()
            broker.start()
            await asyncio.to_thread(Confluent.produce, broker, "t", [(str(i).encode(), b"v") for i in range(50)])
            await read(100)
            await consumer.commit()
            assert len(set(seen)) == 100
        finally:
            await consumer.stop()

    asyncio.run(asyncio.wait_for(work(), 60))
