"""The verbs and the admin door say what admin clients say."""

import http.client
import json
import re
import subprocess

import pytest
from broker import BINARY, eventually
from clients import Confluent, admin, create_topic, end_offsets
from test_admin import commit

MESSAGES = [(b"k", b"x" * 100)] * 100


def ask(broker, method, path, body=None, **headers):
    host, port = broker.http.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def metrics(broker):
    status, text = ask(broker, "GET", "/metrics")
    assert status == 200
    samples, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            match = re.fullmatch(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.e+]+|NaN)', line)
            assert match, line
            assert match[1] in kinds, f"{line} comes before its TYPE"
            samples[match[1] + (match[2] or "")] = float(match[3])
    return samples, kinds


def test_topics_over_the_command_line(broker):
    broker.weir("topic", "create", "orders", "--partitions", "3", "--config", "retention.ms=3600000")
    Confluent.produce(broker, "orders", MESSAGES, codec="gzip")
    assert len(admin(broker).list_topics(timeout=10).topics["orders"].partitions) == 3
    [row] = eventually(lambda: [row for row in broker.weir_json("topic", "ls") if row["records"] == 100])
    assert (row["name"], row["partitions"]) == ("orders", 3)
    assert row["bytes"] > 0
    parts = broker.weir_json("topic", "describe", "orders")
    assert [part["end"] for part in parts] == end_offsets(broker, "orders", 3)
    assert "orders" in broker.weir("topic", "ls") and "retention.ms" in broker.weir("topic", "describe", "orders")
    broker.weir("topic", "purge", "orders", "--yes")
    eventually(lambda: broker.weir_json("topic", "ls")[0]["records"] == 0)
    broker.weir("topic", "delete", "orders", "--yes")
    assert broker.weir_json("topic", "ls") == []
    assert "orders" not in admin(broker).list_topics(timeout=10).topics


def test_groups_over_the_command_line(broker):
    create_topic(broker, "t")
    Confluent.produce(broker, "t", MESSAGES)
    commit(broker, "g", 30)
    [row] = eventually(lambda: [row for row in broker.weir_json("group", "ls") if row["lag"] == 70])
    assert (row["group"], row["state"], row["members"]) == ("g", "Empty", 0)
    [part] = broker.weir_json("group", "describe", "g")
    assert {key: part[key] for key in ["topic", "partition", "committed", "end", "lag"]} == {
        "topic": "t", "partition": 0, "committed": 30, "end": 100, "lag": 70}
    preview = broker.weir_json("group", "reset", "g", "--to", "earliest", "--dry-run")
    assert preview == [{"group": "g", "topic": "t", "partition": 0, "from": 30, "to": 0, "end": 100}]
    assert broker.weir_json("group", "describe", "g")[0]["committed"] == 30
    broker.weir("group", "reset", "g", "--to", "95", "--yes")
    eventually(lambda: broker.weir_json("group", "describe", "g")[0]["committed"] == 95)
    broker.weir("group", "reset", "g", "--to-time", "1h", "--yes")
    eventually(lambda: broker.weir_json("group", "describe", "g")[0]["committed"] == 0)
    broker.weir("group", "delete", "g", "--yes")
    eventually(lambda: broker.weir_json("group", "ls") == [])


def test_refusals_end_with_1_and_say_why(broker):
    assert "there is no topic 'x'" in broker.weir("topic", "describe", "x", expect=1)
    assert "there is no group 'x'" in broker.weir("group", "describe", "x", expect=1)
    assert "--yes" in broker.weir("topic", "purge", "x", expect=1)
    broker.weir("topic", "create", "x")
    assert "x" in broker.weir("topic", "create", "x", expect=1)
    assert "compact" in broker.weir("topic", "create", "y", "--config", "cleanup.policy=compact", expect=1)
    broker.weir("topic", "purge", "nothing", "--yes", expect=1)
    broker.weir("group", "delete", "nothing", "--yes", expect=1)


@pytest.mark.parametrize(
    "arguments, status",
    [(["--version"], 0), (["--help"], 0), (["explode"], 64), (["serve", "--kafka", "9092"], 64), (["topic", "ls", "--http", "127.0.0.1:1"], 1),
     (["serve", "--amqp", "127.0.0.1:5672"], 1), (["serve", "--http", "0.0.0.0:0", "--data", "memory", "--kafka", "127.0.0.1:0"], 1)])
def test_exit_codes(arguments, status):
    run = subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert run.returncode == status, run.stderr
    if status:
        assert run.stderr.startswith("Error: ")


def test_a_snapshot_is_json(broker):
    create_topic(broker, "t")
    Confluent.produce(broker, "t", MESSAGES)
    snapshot = eventually(
        lambda: (lambda s: s if s["totals"]["records"] == 100 else None)(json.loads(broker.weir("snapshot", "--topic", "t"))))
    assert snapshot["broker"]["kafka"] == broker.kafka
    assert snapshot["totals"]["topics"] == 1
    assert snapshot["topic"]["partitions"][0]["end"] == 100


def test_metrics_count(broker):
    before, kinds = metrics(broker)
    assert kinds["weir_received_records_total"] == "counter" and kinds["weir_log_bytes"] == "gauge"
    assert all((kind == "counter") == name.endswith("_total") for name, kind in kinds.items())
    create_topic(broker, "t")
    Confluent.produce(broker, "t", MESSAGES)
    Confluent.read(broker, "t", 100)
    eventually(lambda: metrics(broker)[0]["weir_received_records_total"] - before["weir_received_records_total"] == 100)
    eventually(lambda: metrics(broker)[0]["weir_sent_records_total"] >= 100)
    eventually(lambda: metrics(broker)[0]['weir_topic_records{topic="t"}'] == 100)


def test_the_admin_door_answers_this_machine_only(broker):
    assert ask(broker, "GET", "/weir/v1/health")[0] == 200
    assert ask(broker, "GET", "/weir/v1/health", Host="evil.example")[0] == 403
    body = json.dumps({"createTopic": {"name": "x", "partitions": 1, "configs": {}}})
    json_type = {"Content-Type": "application/json"}
    assert ask(broker, "POST", "/weir/v1/command", body)[0] == 415
    assert ask(broker, "POST", "/weir/v1/command", body, Origin="http://evil.example", **json_type)[0] == 403
    assert broker.weir_json("topic", "ls") == []
    assert ask(broker, "POST", "/weir/v1/command", body, **json_type)[0] == 200
    assert [row["name"] for row in broker.weir_json("topic", "ls")] == ["x"]
