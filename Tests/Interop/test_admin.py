"""What admin clients ask of a broker, and the errors they are given."""

import asyncio

import confluent_kafka
import kafka
import pytest
from broker import eventually
from clients import Confluent, admin, create_topic, end_offsets
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, ResourceType

MESSAGES = [(b"k", str(i).encode()) for i in range(100)]


def code(future):
    with pytest.raises(KafkaException) as caught:
        future.result(10)
    return caught.value.args[0].code()


def configs(broker, topic):
    resource = ConfigResource(ResourceType.TOPIC, topic)
    return {name: entry.value for name, entry in admin(broker).describe_configs([resource])[resource].result(10).items()}


def test_topics_are_created_listed_described_and_deleted(broker):
    client = admin(broker)
    create_topic(broker, "orders", 3, **{"retention.ms": 3600000})
    topics = client.list_topics(timeout=10).topics
    assert sorted(topics["orders"].partitions) == [0, 1, 2]
    assert all(p.leader >= 0 and p.error is None for p in topics["orders"].partitions.values())
    described = client.describe_topics(confluent_kafka.TopicCollection(["orders"]))["orders"].result(10)
    assert (described.name, len(described.partitions)) == ("orders", 3)
    assert str(described.topic_id)
    client.delete_topics(["orders"])["orders"].result(10)
    eventually(lambda: "orders" not in client.list_topics(timeout=10).topics)


@pytest.mark.parametrize(
    "topic, error",
    [
        (NewTopic("bad name!", 1, 1), KafkaError.TOPIC_EXCEPTION),
        (NewTopic("x" * 250, 1, 1), KafkaError.TOPIC_EXCEPTION),
        (NewTopic("..", 1, 1), KafkaError.TOPIC_EXCEPTION),
        (NewTopic("zero", 0, 1), KafkaError.INVALID_PARTITIONS),
        (NewTopic("many", 50_000, 1), KafkaError.INVALID_PARTITIONS),
        (NewTopic("copies", 1, 3), KafkaError.INVALID_REPLICATION_FACTOR),
        (NewTopic("compact", 1, 1, config={"cleanup.policy": "compact"}), KafkaError.INVALID_CONFIG),
        (NewTopic("unknown", 1, 1, config={"no.such.setting": "1"}), KafkaError.INVALID_CONFIG),
        (NewTopic("value", 1, 1, config={"retention.ms": "soon"}), KafkaError.INVALID_CONFIG),
        (NewTopic("taken", 1, 1), KafkaError.TOPIC_ALREADY_EXISTS),
    ],
    ids=lambda value: value.topic[:12] if isinstance(value, NewTopic) else str(value),
)
def test_topics_that_cannot_be(broker, topic, error):
    create_topic(broker, "taken")
    [future] = admin(broker).create_topics([topic]).values()
    assert code(future) == error
    assert list(admin(broker).list_topics(timeout=10).topics) == ["taken"]


def test_validate_only_creates_nothing(broker):
    [future] = admin(broker).create_topics([NewTopic("dry", 1, 1)], validate_only=True).values()
    future.result(10)
    assert "dry" not in admin(broker).list_topics(timeout=10).topics


def test_missing_topics_are_said_to_be_missing(broker):
    client = admin(broker)
    assert code(client.delete_topics(["nothing"])["nothing"]) == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert code(client.create_partitions([NewPartitions("nothing", 2)])["nothing"]) == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_partitions_are_added_never_removed(broker):
    create_topic(broker, "grow", 2)
    client = admin(broker)
    client.create_partitions([NewPartitions("grow", 5)])["grow"].result(10)
    assert len(client.list_topics(timeout=10).topics["grow"].partitions) == 5
    assert code(client.create_partitions([NewPartitions("grow", 3)])["grow"]) == KafkaError.INVALID_PARTITIONS
    assert end_offsets(broker, "grow", 5) == [0] * 5


def test_settings_are_described_and_altered(broker):
    create_topic(broker, "set", **{"retention.ms": 3600000})
    assert configs(broker, "set")["retention.ms"] == "3600000"
    assert configs(broker, "set")["cleanup.policy"] == "delete"
    resource = ConfigResource(
        ResourceType.TOPIC, "set",
        incremental_configs=[
            ConfigEntry("retention.bytes", "1000000", incremental_operation=AlterConfigOpType.SET),
            ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE),
        ])
    admin(broker).incremental_alter_configs([resource])[resource].result(10)
    assert configs(broker, "set")["retention.bytes"] == "1000000"
    assert configs(broker, "set")["retention.ms"] == "604800000"
    broker.restart()
    assert configs(broker, "set")["retention.bytes"] == "1000000"
    bad = ConfigResource(
        ResourceType.TOPIC, "set",
        incremental_configs=[ConfigEntry("retention.ms", "soon", incremental_operation=AlterConfigOpType.SET)])
    assert code(admin(broker).incremental_alter_configs([bad])[bad]) == KafkaError.INVALID_CONFIG


def test_the_broker_describes_itself(broker):
    cluster = admin(broker).describe_cluster().result(10)
    host, port = broker.address
    assert [(node.host, node.port) for node in cluster.nodes] == [(host, port)]
    assert cluster.controller.id == cluster.nodes[0].id
    assert cluster.cluster_id
    before = cluster.cluster_id
    broker.restart()
    assert admin(broker).describe_cluster().result(10).cluster_id == before


def test_records_are_deleted_below_an_offset(broker):
    create_topic(broker, "cut")
    Confluent.produce(broker, "cut", MESSAGES)
    [future] = admin(broker).delete_records([TopicPartition("cut", 0, 40)]).values()
    assert future.result(10).low_watermark == 40
    assert Confluent.read(broker, "cut", 60) == MESSAGES[40:]
    broker.restart()
    assert Confluent.read(broker, "cut", 60) == MESSAGES[40:]
    [future] = admin(broker).delete_records([TopicPartition("cut", 0, 101)]).values()
    assert code(future) == KafkaError.OFFSET_OUT_OF_RANGE
    [future] = admin(broker).delete_records([TopicPartition("cut", 0, -1)]).values()
    assert future.result(10).low_watermark == 100


def commit(broker, group, offset, topic="t"):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    consumer.close()


def test_groups_are_listed_described_altered_and_deleted(broker):
    create_topic(broker, "t")
    Confluent.produce(broker, "t", MESSAGES)
    commit(broker, "g", 10)
    client = admin(broker)
    assert [g.group_id for g in client.list_consumer_groups().result(10).valid if g.group_id == "g"] == ["g"]
    assert client.describe_consumer_groups(["g"])["g"].result(10).state == confluent_kafka.ConsumerGroupState.EMPTY
    asked = ConsumerGroupTopicPartitions("g", [TopicPartition("t", 0, 55)])
    client.alter_consumer_group_offsets([asked])["g"].result(10)
    [position] = client.list_consumer_group_offsets([ConsumerGroupTopicPartitions("g")])["g"].result(10).topic_partitions
    assert (position.topic, position.partition, position.offset) == ("t", 0, 55)
    client.delete_consumer_groups(["g"])["g"].result(10)
    assert "g" not in [g.group_id for g in client.list_consumer_groups().result(10).valid]
    assert code(client.delete_consumer_groups(["g"])["g"]) == KafkaError.GROUP_ID_NOT_FOUND


def test_a_group_with_members_is_not_deleted(broker):
    create_topic(broker, "t")
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.kafka, "group.id": "busy"})
    consumer.subscribe(["t"])
    eventually(lambda: consumer.poll(0.2) or consumer.assignment())
    assert code(admin(broker).delete_consumer_groups(["busy"])["busy"]) == KafkaError.NON_EMPTY_GROUP
    consumer.close()


def test_kafka_python_administers(broker):
    client = kafka.admin.KafkaAdminClient(bootstrap_servers=broker.kafka)
    client.create_topics([kafka.admin.NewTopic("py", num_partitions=2, replication_factor=1)])
    assert "py" in client.list_topics()
    [topic] = client.describe_topics(["py"])
    assert len(topic["partitions"]) == 2
    client.create_partitions({"py": kafka.admin.NewPartitions(4)})
    assert len(client.describe_topics(["py"])[0]["partitions"]) == 4
    described = client.describe_configs([kafka.admin.ConfigResource("topic", "py")], config_filter="all")
    assert "retention.ms" in str(described)
    Confluent.produce(broker, "py", MESSAGES)
    commit(broker, "pg", 3, "py")
    assert "pg" in str(client.list_groups())
    offsets = client.list_group_offsets("pg")["pg"]
    assert offsets[kafka.TopicPartition("py", 0)].offset == 3
    client.delete_group_offsets("pg", [kafka.TopicPartition("py", 0)])
    commit(broker, "pg", 4, "py")
    client.delete_groups(["pg"])
    assert "pg" not in str(client.list_groups())
    assert "cluster_id" in client.describe_cluster()
    client.delete_topics(["py"])
    eventually(lambda: "py" not in client.list_topics())
    client.close()


def test_aiokafka_administers(broker):
    from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

    async def work():
        client = AIOKafkaAdminClient(bootstrap_servers=broker.kafka)
        await client.start()
        try:
            await client.create_topics([NewTopic("aio", num_partitions=2, replication_factor=1)])
            assert "aio" in await client.list_topics()
            await client.create_partitions({"aio": NewPartitions(3)})
            [topic] = await client.describe_topics(["aio"])
            assert len(topic["partitions"]) == 3
            assert (await client.describe_cluster())["brokers"]
            await client.delete_topics(["aio"])
        finally:
            await client.close()

    asyncio.run(asyncio.wait_for(work(), 40))


def test_read_only_refuses_commands_of_the_admin_door(tmp_path):
    from broker import Broker

    broker = Broker(tmp_path / "data", "--read-only").start()
    try:
        assert "--read-only" in broker.weir("topic", "create", "x", expect=1)
    finally:
        broker.stop()
