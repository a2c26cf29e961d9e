"""weir publish, consume, bench and demo: this package's own Kafka client, beside the others and against them."""

import json
import signal
import subprocess
import time

import pytest
from broker import BINARY, ROOT, eventually
from clients import ALL, CODECS, Confluent, Kcat, create_topic, end_offsets


def verb(broker, *arguments, stdin=None, expect=0, timeout=60):
    run = subprocess.run(
        [BINARY, *arguments, "--kafka", broker.kafka], input=stdin, capture_output=True, text=True, timeout=timeout)
    assert run.returncode == expect, f"weir {' '.join(arguments)} ended with {run.returncode}: {run.stderr or run.stdout}"
    return run


def test_lines_are_published_and_another_client_reads_them(broker):
    run = verb(broker, "publish", "orders", stdin="one\ntwo\n\nlast without an end")
    assert "4 records to orders-0 at offsets 0 to 3" in run.stderr
    text = Kcat.run(broker, "-C", "-t", "orders", "-o", "beginning", "-e", "-q")
    assert text == "one\ntwo\n\nlast without an end\n"


def test_a_value_with_key_and_header(broker):
    [row] = json.loads(
        verb(broker, "publish", "orders", "--value", "grüße", "--key", "k", "--header", "a=b", "--count", "3", "--json").stdout)
    assert (row["records"], row["firstOffset"], row["lastOffset"]) == (3, 0, 2)
    rows = json.loads(verb(broker, "consume", "orders", "--from", "1", "--max", "1", "--json").stdout)
    assert [(r["offset"], r["key"], r["value"], r["headers"]) for r in rows] == [(1, "k", "grüße", {"a": "b"})]


def test_keys_go_where_other_clients_put_them(broker):
    create_topic(broker, "orders", 5)
    verb(broker, "publish", "orders", "--key-separator", ":", stdin="".join(f"k{n}:v{n}\n" for n in range(50)))
    ours = {r["key"]: r["partition"] for r in json.loads(
        verb(broker, "consume", "orders", "--from", "earliest", "--until-end", "--json").stdout)}
    assert len(ours) == 50
    create_topic(broker, "theirs", 5)
    Confluent.produce(broker, "theirs", [(key.encode(), b"v") for key in ours], partitioner="murmur2_random")
    theirs = {r["key"]: r["partition"] for r in json.loads(
        verb(broker, "consume", "theirs", "--from", "earliest", "--until-end", "--json").stdout)}
    assert ours == theirs


def test_what_another_client_produced_is_consumed(broker):
    Confluent.produce(broker, "orders", [(b"k", f"v{n}".encode()) for n in range(1000)])
    lines = verb(broker, "consume", "orders", "--from", "earliest", "--until-end").stdout.splitlines()
    assert lines == [f"v{n}" for n in range(1000)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("client", ALL)
def test_what_other_clients_compressed_is_consumed(broker, client, codec):
    messages = [(f"k{n}".encode(), f"order {n} {'x' * (n % 50)}".encode()) for n in range(300)]
    ALL[client].produce(broker, "orders", messages, codec=codec)
    rows = json.loads(verb(broker, "consume", "orders", "--from", "earliest", "--until-end", "--json").stdout)
    assert [(row["offset"], row["key"], row["value"]) for row in rows] == [
        (n, key.decode(), value.decode()) for n, (key, value) in enumerate(messages)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("client", ALL)
def test_what_publish_compresses_other_clients_read(broker, client, codec):
    lines = [f"order {n} {'x' * (n % 50)}" for n in range(300)]
    verb(broker, "publish", "orders", "--key", "k", "--compression", codec, stdin="\n".join(lines))
    assert ALL[client].read(broker, "orders", 300) == [(b"k", line.encode()) for line in lines]


def test_a_group_goes_on_where_it_stopped(broker):
    verb(broker, "publish", "orders", stdin="".join(f"{n}\n" for n in range(10)))
    first = verb(broker, "consume", "orders", "--group", "g", "--from", "earliest", "--max", "4").stdout.split()
    rest = verb(broker, "consume", "orders", "--group", "g", "--until-end").stdout.split()
    assert first + rest == [str(n) for n in range(10)]
    # The broker looks at its groups once a second.
    eventually(lambda: [row for row in broker.weir_json("group", "ls") if row["group"] == "g" and row["lag"] == 0])


def test_a_consumer_that_is_interrupted_leaves_its_group(broker):
    verb(broker, "publish", "orders", "--value", "x")
    process = subprocess.Popen(
        [BINARY, "consume", "orders", "--group", "g", "--from", "earliest", "--kafka", broker.kafka], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "x\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    [row] = eventually(lambda: [row for row in broker.weir_json("group", "ls") if row["group"] == "g" and row["state"] == "Empty"])
    assert row["lag"] == 0


def test_publishing_outlives_a_restart_of_the_broker(broker):
    create_topic(broker, "orders")
    process = subprocess.Popen(
        [BINARY, "publish", "orders", "--value", "x", "--count", "3000", "--rate", "1000", "--json", "--kafka", broker.kafka],
        stdout=subprocess.PIPE, text=True)
    eventually(lambda: end_offsets(broker, "orders")[0] > 300)
    broker.kill()
    broker.start()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert sum(row["records"] for row in json.loads(output)) == 3000
    # Numbered batches: none twice, none lost.
    assert end_offsets(broker, "orders")[0] == 3000


@pytest.mark.parametrize("acks", ["all", "1", "0"])
def test_bench(broker, acks):
    [row] = json.loads(verb(broker, "bench", "produce", "--count", "20000", "--acks", acks, "--json").stdout)
    assert (row["records"], row["bytes"]) == (20000, 4000000)
    assert row["recordsPerSecond"] > 0
    eventually(lambda: end_offsets(broker, "weir-bench")[0] == 20000)
    [row] = json.loads(verb(broker, "bench", "consume", "--decode", "--json").stdout)
    assert (row["records"], row["bytes"]) == (20000, 4000000)


def test_without_a_broker_the_verbs_say_so_soon():
    started = time.monotonic()
    run = subprocess.run(
        [BINARY, "publish", "orders", "--value", "x", "--acks", "1", "--kafka", "127.0.0.1:1"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert "cannot connect to 127.0.0.1:1" in run.stderr
    assert time.monotonic() - started < 40


def test_the_demo_drives_a_broker(broker):
    run = subprocess.run([BINARY, "demo", "--against", broker.kafka, "--seconds", "12"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    topics = {row["name"]: row for row in broker.weir_json("topic", "ls")}
    assert {"orders", "payments", "orders.unpaid", "flash-sale", "reminders", "clicks", "emails", "audit"} <= set(topics)
    assert topics["clicks"]["records"] > 5_000
    groups = {row["group"] for row in broker.weir_json("group", "ls")}
    assert {"billing", "fulfilment", "fraud", "ledger", "analytics", "mailer", "reporting"} <= groups
    # Its members leave when it ends.
    eventually(lambda: all(row["members"] == 0 for row in broker.weir_json("group", "ls")))


def test_the_demo_brings_its_own_broker():
    process = subprocess.Popen(
        [BINARY, "demo", "--no-console", "--seconds", "8", "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    assert line.startswith("ready kafka=127.0.0.1:") and line.rstrip().endswith("data=memory")
    assert process.wait(40) == 0
