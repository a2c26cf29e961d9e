"""Share groups (KIP-932) with confluent-kafka's ShareConsumer: who gets what, how often, and what is left after a crash."""

import time

import confluent_kafka
import kafka
import pytest
import share
from broker import eventually
from clients import Confluent, admin, create_topic
from share import ACCEPT, REJECT, RELEASE


def produce(broker, topic, count, first=0):
    Confluent.produce(broker, topic, [(None, b"%05d" % number) for number in range(first, first + count)])


def expected(count, first=0):
    return [b"%05d" % number for number in range(first, first + count)]


@pytest.fixture
def consumers(broker):
    started = []

    def start(group, topics, **config):
        started.append(share.consumer(broker, group, topics, **config))
        return started[-1]

    yield start
    for consumer in started:
        try:
            consumer.close()
        except (confluent_kafka.KafkaException, confluent_kafka.IllegalStateException):
            pass  # it is closed, or the broker is gone


def test_every_message_is_delivered_once_and_stays_settled(broker, consumers):
    create_topic(broker, "orders", 3, queue="true")
    produce(broker, "orders", 3000)
    first = consumers("orders", "orders")
    messages = share.poll(first, 3000)
    assert share.values(messages) == expected(3000)
    assert {message.delivery_count() for message in messages} == {1}
    assert share.commit(first) == {}
    first.close()
    second = consumers("orders", "orders")
    assert share.quiet(second) == []
    produce(broker, "orders", 5, first=3000)
    assert share.values(share.poll(second, 5)) == expected(5, first=3000)


def test_implicit_acknowledgement(broker):
    create_topic(broker, "orders", queue="true")
    produce(broker, "orders", 100)
    consumer = confluent_kafka.ShareConsumer({"bootstrap.servers": broker.kafka, "group.id": "orders", "log_level": 0})
    consumer.subscribe(["orders"])
    got, deadline = [], time.monotonic() + 15
    while len(got) < 100 and time.monotonic() < deadline:
        got += [message.value() for message in consumer.poll(0.2)]
    assert sorted(got) == expected(100)
    # The next poll answers for what the last one gave; a close alone would give it back.
    consumer.poll(0.2)
    consumer.close()
    assert share.describe_offsets(broker, "orders") == {("orders", 0): (100, 0)}


def test_a_released_message_comes_back_with_its_count(broker, consumers):
    create_topic(broker, "orders", queue="true")
    produce(broker, "orders", 3)
    consumer = consumers("orders", "orders")
    seen = []

    def answer(message):
        seen.append((message.offset(), message.delivery_count()))
        return RELEASE if message.offset() == 1 and message.delivery_count() < 3 else ACCEPT

    share.poll(consumer, 5, answer=answer)
    assert sorted(seen) == [(0, 1), (1, 1), (1, 2), (1, 3), (2, 1)]
    assert share.commit(consumer) == {}
    assert share.quiet(consumer) == []


def test_a_rejected_message_never_comes_back(broker, consumers):
    create_topic(broker, "orders", queue="true")
    produce(broker, "orders", 3)
    consumer = consumers("orders", "orders")
    share.poll(consumer, 3, answer=lambda message: REJECT if message.offset() == 1 else ACCEPT)
    assert share.commit(consumer) == {}
    assert share.quiet(consumer) == []
    assert share.describe_offsets(broker, "orders") == {("orders", 0): (3, 0)}


def test_a_lock_that_is_over_gives_the_message_to_another(broker, consumers):
    create_topic(broker, "orders", queue="true")
    share.configure(broker, "orders", share_record_lock_duration_ms=1000)
    produce(broker, "orders", 4)
    slow = consumers("orders", "orders")
    held, deadline = [], time.monotonic() + 15
    while len(held) < 4 and time.monotonic() < deadline:
        held += slow.poll(0.2)
    assert len(held) == 4
    taken_at = time.monotonic()
    quick = consumers("orders", "orders")
    messages = share.poll(quick, 4)
    assert time.monotonic() - taken_at > 0.5
    assert [(message.offset(), message.delivery_count()) for message in sorted(messages, key=lambda m: m.offset())] == [
        (0, 2), (1, 2), (2, 2), (3, 2)]
    assert share.commit(quick) == {}
    for message in held:
        slow.acknowledge(message)
    assert share.commit(slow) == {("orders", 0): "INVALID_RECORD_STATE"}


def test_what_a_killed_consumer_held_goes_to_another_at_once(broker, consumers):
    create_topic(broker, "orders", queue="true")
    produce(broker, "orders", 10)
    victim = share.Process(broker, "orders", "orders")
    eventually(lambda: len(victim.offsets) == 10)
    survivor = consumers("orders", "orders")
    assert share.quiet(survivor, 1.0) == []
    victim.kill()
    killed_at = time.monotonic()
    messages = share.poll(survivor, 10)
    # Long before the lock of 30 s is over.
    assert time.monotonic() - killed_at < 10
    assert share.values(messages) == expected(10)
    assert {message.delivery_count() for message in messages} == {2}


def test_a_consumer_that_closes_gives_back_what_it_has_not_answered(broker, consumers):
    create_topic(broker, "orders", queue="true")
    produce(broker, "orders", 5)
    first = consumers("orders", "orders")
    assert len(eventually(lambda: first.poll(0.2) or None)) == 5
    first.close()
    messages = share.poll(consumers("orders", "orders"), 5)
    # It left in order: that is no failed attempt.
    assert [message.delivery_count() for message in messages] == [1] * 5


def test_two_consumers_compete_for_one_partition(broker, consumers):
    create_topic(broker, "orders", queue="true")
    both = [consumers("orders", "orders", **{"max.poll.records": 20}) for _ in range(2)]
    # Both are there before the first message.
    eventually(lambda: [consumer.poll(0.1) for consumer in both] and len(share.describe_group(broker, "orders")[2]) == 2)
    got = [[], []]
    for burst in range(20):
        produce(broker, "orders", 50, first=burst * 50)
        for index, consumer in enumerate(both):
            got[index] += share.answered(consumer, consumer.poll(0.05))
    deadline = time.monotonic() + 20
    while sum(map(len, got)) < 1000 and time.monotonic() < deadline:
        for index, consumer in enumerate(both):
            got[index] += share.answered(consumer, consumer.poll(0.1))
    assert share.values(got[0] + got[1]) == expected(1000)
    assert min(map(len, got)) > 0
    assert {message.delivery_count() for message in got[0] + got[1]} == {1}


def test_partitions_are_divided_among_members(broker, consumers):
    create_topic(broker, "orders", 4, queue="true")
    both = [consumers("orders", "orders") for _ in range(2)]

    def assigned():
        for consumer in both:
            consumer.poll(0.1)
        return sorted(tuple(topics.get("orders", ())) for topics in share.describe_group(broker, "orders")[2].values())

    eventually(lambda: assigned() == [(0, 2), (1, 3)])
    both.pop().close()
    eventually(lambda: assigned() == [(0, 1, 2, 3)])
    produce(broker, "orders", 200)
    assert share.values(share.poll(both[0], 200)) == expected(200)


@pytest.mark.parametrize("setting", ["share_delivery_count_limit", "delivery_limit"])
def test_a_message_is_dead_after_its_last_delivery(broker, consumers, setting):
    create_topic(broker, "orders", queue="true", **{"dead.letter": "auto"})
    share.configure(broker, "orders", **{setting: 3})
    produce(broker, "orders", 2)
    consumer = consumers("orders", "orders")
    messages = share.poll(consumer, 4, answer=lambda message: RELEASE if message.offset() == 0 else ACCEPT)
    assert sorted((message.offset(), message.delivery_count()) for message in messages) == [(0, 1), (0, 2), (0, 3), (1, 1)]
    share.commit(consumer)
    assert share.quiet(consumer) == []
    [dead] = share.poll(consumers("orders.dlq", "orders.dlq", **{"metadata.max.age.ms": 1000}), 1)
    headers = dict(dead.headers())
    assert dead.value() == b"00000"
    assert headers["__dlq.errors.topic"] == b"orders"
    assert headers["__dlq.errors.partition"] == b"0"
    assert headers["__dlq.errors.offset"] == b"0"
    assert headers["__dlq.errors.group"] == b"orders"
    assert headers["__dlq.errors.delivery.count"] == b"3"


def test_a_rejected_message_of_a_share_group_goes_to_its_dead_letter_topic(broker, consumers):
    create_topic(broker, "orders")
    create_topic(broker, "dlq.orders", queue="true", **{"errors.deadletterqueue.group.enable": "true"})
    share.configure(broker, "billing", share_auto_offset_reset="earliest", errors_deadletterqueue_topic_name="dlq.orders")
    produce(broker, "orders", 3)
    consumer = consumers("billing", "orders")
    share.poll(consumer, 3, answer=lambda message: REJECT if message.offset() == 2 else ACCEPT)
    assert share.commit(consumer) == {}
    [dead] = share.poll(consumers("dlq.orders", "dlq.orders"), 1)
    assert dead.value() == b"00002"
    assert dict(dead.headers())["__dlq.errors.group"] == b"billing"


def test_a_dead_letter_topic_set_through_kafka_has_the_prefix(broker):
    with pytest.raises(ValueError, match="begins with 'dlq.'"):
        share.configure(broker, "billing", errors_deadletterqueue_topic_name="orders")


def test_a_dead_letter_topic_set_through_kafka_takes_dead_letters(broker):
    create_topic(broker, "dlq.plain")
    with pytest.raises(ValueError, match="errors.deadletterqueue.group.enable=true"):
        share.configure(broker, "billing", errors_deadletterqueue_topic_name="dlq.plain")


def test_a_released_message_waits_as_long_as_its_back_off_says(broker, consumers):
    create_topic(broker, "orders", queue="true")
    share.configure(broker, "orders", retry_backoff="1s,2,10s")
    produce(broker, "orders", 1)
    consumer = consumers("orders", "orders")
    times = []

    def answer(message):
        times.append(time.monotonic())
        return RELEASE if message.delivery_count() < 3 else ACCEPT

    share.poll(consumer, 3, answer=answer)
    share.commit(consumer)
    waits = [later - earlier for earlier, later in zip(times, times[1:])]
    assert len(waits) == 2
    # The upper bounds only tell the second wait from the first and from the lock of 30 s: a busy machine is slow.
    assert 1.0 <= waits[0] < 5.0
    assert 2.0 <= waits[1] < 10.0


def test_what_was_settled_stays_settled_when_the_broker_is_killed(broker, consumers):
    create_topic(broker, "orders", 2, queue="true")
    produce(broker, "orders", 500)
    consumer = consumers("orders", "orders")
    settled = share.poll(consumer, 500, answer=lambda message: ACCEPT if int(message.value()) % 5 else RELEASE)
    assert share.commit(consumer) == {}
    accepted = {message.value() for message in settled if int(message.value()) % 5}
    assert len(accepted) == 400
    broker.kill()
    broker.start()
    # The same consumer finds its way back, and gets what it had released and no more.
    messages = share.poll(consumer, 100, seconds=40)
    assert share.values(messages) == [value for value in expected(500) if int(value) % 5 == 0]
    assert share.commit(consumer) == {}
    broker.kill()
    broker.start()
    assert share.quiet(consumers("orders", "orders"), 3) == []


def test_deliveries_that_a_broker_crash_cut_short_are_made_again(broker, consumers):
    create_topic(broker, "orders", queue="true")
    produce(broker, "orders", 20)
    first = consumers("orders", "orders")
    assert len(eventually(lambda: first.poll(0.2) or None)) == 20
    broker.kill()
    broker.start()
    messages = share.poll(consumers("orders", "orders"), 20)
    assert share.values(messages) == expected(20)


def test_offsets_are_described_altered_and_deleted(broker, consumers):
    create_topic(broker, "orders")
    share.configure(broker, "billing", share_auto_offset_reset="earliest")
    assert share.describe_offsets(broker, "billing") == 69
    produce(broker, "orders", 10)
    consumer = consumers("billing", "orders")
    share.poll(consumer, 10)
    assert share.commit(consumer) == {}
    assert share.describe_offsets(broker, "billing") == {("orders", 0): (10, 0)}
    assert share.alter_offsets(broker, "billing", "orders", {0: 4}) == 68  # the group has a member
    assert share.delete_offsets(broker, "billing", "orders") == 68
    consumer.close()
    assert share.alter_offsets(broker, "billing", "orders", {0: 4}) == 0
    assert share.describe_offsets(broker, "billing") == {("orders", 0): (4, 6)}
    assert share.alter_offsets(broker, "billing", "orders", {7: 4}) == 3
    eventually(lambda: [(row["group"], row["state"], row["lag"]) for row in broker.weir_json("group", "ls")] == [("billing", "Empty", 6)])
    consumer = consumers("billing", "orders")
    assert [message.offset() for message in share.poll(consumer, 6)] == [4, 5, 6, 7, 8, 9]
    assert share.commit(consumer) == {}
    consumer.close()
    assert share.delete_offsets(broker, "billing", "orders") == 0
    assert share.describe_offsets(broker, "billing") == {}


def test_a_new_share_group_begins_at_the_end_and_a_queue_at_the_start(broker, consumers):
    create_topic(broker, "orders", queue="true")
    produce(broker, "orders", 10)
    late = consumers("audit", "orders")
    assert share.quiet(late, 2) == []
    produce(broker, "orders", 5, first=10)
    assert share.values(share.poll(late, 5)) == expected(5, first=10)
    assert share.values(share.poll(consumers("orders", "orders"), 15)) == expected(15)


def test_a_waiting_fetch_is_woken_by_a_publish(broker, consumers):
    create_topic(broker, "orders", queue="true")
    consumer = consumers("orders", "orders", **{"fetch.wait.max.ms": 10000})
    share.quiet(consumer, 1)
    delays = []
    for number in range(5):
        sent = time.monotonic()
        Confluent.produce(broker, "orders", [(None, b"%05d" % number)], **{"linger.ms": 0})
        share.poll(consumer, 1)
        delays.append(time.monotonic() - sent)
    assert min(delays) < 0.5, delays


def test_share_groups_and_consumer_groups_do_not_mix(broker, consumers):
    create_topic(broker, "orders", queue="true")
    create_topic(broker, "clicks")
    produce(broker, "clicks", 3)
    reader = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "orders", "log_level": 0})
    reader.subscribe(["clicks"])
    failure = eventually(lambda: (message := reader.poll(0.5)) and message.error())
    assert failure.name() in ("INCONSISTENT_GROUP_PROTOCOL", "_FATAL"), failure
    reader.close()
    # And the other way round: a consumer group keeps its name.
    classic = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "readers", "auto.offset.reset": "earliest"})
    classic.subscribe(["clicks"])
    eventually(lambda: classic.poll(0.5))
    intruder = consumers("readers", "clicks")

    def refused():
        try:
            return [m.error().name() for m in intruder.poll(0.5) if m.error()]
        except confluent_kafka.KafkaException as failure:
            return [failure.args[0].name()]

    assert set(eventually(refused)) <= {"GROUP_ID_NOT_FOUND", "_FATAL"}
    classic.close()


def test_share_groups_are_listed_described_and_deleted(broker, consumers):
    create_topic(broker, "orders", 2)
    consumer = consumers("billing", "orders")
    consumer.poll(1.0)
    code, state, members = eventually(lambda: (found := share.describe_group(broker, "billing"))[2] and found)
    assert (code, state) == (0, "Stable")
    assert list(members.values()) == [{"orders": [0, 1]}]
    assert share.describe_group(broker, "nobody")[0] == 69
    lister = kafka.KafkaAdminClient(bootstrap_servers=broker.kafka)
    [listed] = lister.list_groups()
    assert (listed["group_id"], listed["group_state"], listed["group_type"]) == ("billing", "Stable", "share")
    assert [group["group_id"] for group in lister.list_groups(types_filter=["share"])] == ["billing"]
    assert lister.list_groups(types_filter=["classic"]) == []
    lister.close()
    with pytest.raises(confluent_kafka.KafkaException, match="NON_EMPTY_GROUP"):
        admin(broker).delete_consumer_groups(["billing"])["billing"].result(10)
    consumer.close()
    assert share.describe_group(broker, "billing")[1] == "Empty"
    admin(broker).delete_consumer_groups(["billing"])["billing"].result(10)
    assert share.describe_group(broker, "billing")[0] == 69


def test_a_subscription_to_a_topic_that_is_made_later(broker, consumers):
    share.configure(broker, "billing", share_auto_offset_reset="earliest", share_heartbeat_interval_ms=500)
    consumer = consumers("billing", ["later", "orders"], **{"metadata.max.age.ms": 1000})
    create_topic(broker, "orders")
    produce(broker, "orders", 3)
    assert share.values(share.poll(consumer, 3)) == expected(3)
    create_topic(broker, "later", 2)
    produce(broker, "later", 4)
    assert share.values(share.poll(consumer, 4, seconds=30)) == expected(4)


def test_priorities_are_delivered_strictly_in_order(broker):
    broker.weir("queue", "declare", "jobs", "--priorities", "3", "--dead-letter", "auto")
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka, "linger.ms": 0, "log_level": 0})

    def publish(*priorities):
        for priority in priorities:
            producer.produce("jobs", b"%d" % priority, partition=priority)
            assert producer.flush(20) == 0

    publish(0, 1, 2)
    members = [share.consumer(broker, "jobs", "jobs", **{"max.poll.records": 5}) for _ in range(2)]
    both = []
    eventually(lambda: both.extend(share.poll(members[0], 3, 0.5) + share.poll(members[1], 3, 0.5)) or len(both) == 3)
    [share.commit(member) for member in members]
    broker.weir("queue", "hold", "jobs")
    publish(*[0] * 20, *[1] * 20, *[2] * 20)
    broker.weir("queue", "resume", "jobs")
    for member in members:
        got = [int(message.value()) for message in share.poll(member, 60, 4)]
        assert got == sorted(got, reverse=True), "a lower priority came before a higher one"
        both += got
        share.commit(member)
    assert len(both) == 63
    text = broker.weir("queue", "describe", "jobs")
    assert "priorities   3" in text and "PRIORITY" in text
    [member.close() for member in members]
