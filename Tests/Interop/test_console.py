"""The console, typed at in a terminal, against what Kafka's own clients say."""

import base64
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest
from broker import Broker, eventually
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from terminal import LEFT_ALTERNATE_SCREEN, EmbeddedBroker, Terminal


@pytest.fixture
def console(tmp_path):
    terminal = EmbeddedBroker(tmp_path / "data", cwd=tmp_path)
    yield terminal
    terminal.end()


def admin(address):
    return AdminClient({"bootstrap.servers": address})


def topics(address):
    return {name: len(topic.partitions) for name, topic in admin(address).list_topics(timeout=10).topics.items()}


def create(address, *names, partitions=3):
    client = admin(address)
    for future in client.create_topics([NewTopic(name, partitions, 1) for name in names]).values():
        future.result(15)


def produce(address, topic, count, partition=0):
    producer = Producer({"bootstrap.servers": address})
    for number in range(count):
        producer.produce(topic, value=b"%d" % number, partition=partition)
    assert producer.flush(20) == 0


def client(address, group="nobody"):
    return Consumer({"bootstrap.servers": address, "group.id": group, "enable.auto.commit": False})


def watermarks(address, topic, partition=0):
    consumer = client(address)
    try:
        return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
    finally:
        consumer.close()


def commit(address, group, topic, offset, partition=0):
    consumer = client(address, group)
    try:
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    finally:
        consumer.close()


def committed(address, group, topic, partition=0):
    consumer = client(address, group)
    try:
        return consumer.committed([TopicPartition(topic, partition)], timeout=10)[0].offset
    finally:
        consumer.close()


def test_screens_filter_help_and_resize(console):
    create(console.kafka, "orders", "clicks", "payments.eu")
    console.wait("3 topics")
    console.type("3")
    console.wait("[3 Topics]")
    console.wait("payments.eu")
    console.assert_framed()
    console.type("/pay")
    console.wait("1 of 3")
    console.wait_gone("clicks")
    console.type("\r")
    console.wait("filter pay")
    console.type("\x1b")
    console.wait("clicks")
    console.type("2")
    console.wait("No queues")
    console.type("4")
    console.wait("No consumer groups")
    console.type("?")
    console.wait("Keys: Groups")
    console.type("q")
    console.wait_gone("Keys: Groups")
    for columns, rows in [(80, 24), (200, 60), (60, 15), (120, 30)]:
        console.resize(columns, rows)
        console.type("1")
        eventually(lambda: console.lines[-3].startswith("└") and console.lines[-3].rstrip().endswith("┘"))
        console.wait("[1 Overview]")
        time.sleep(0.3)
        console.assert_framed()
    console.resize(40, 8)
    console.wait("all is well")


def test_create_a_topic_by_dialog(console):
    console.type("A")
    console.wait("Create topic")
    console.type("bad/name\r\r\r")
    console.wait("only letters, digits")
    console.type("\x1b")
    console.wait_gone("only letters")
    console.type("Apayments\r\x15")
    console.type("6\r")
    console.wait("weir topic create payments --partitions 6")
    console.type("\r")
    console.wait_gone("Create topic")
    eventually(lambda: topics(console.kafka).get("payments") == 6)
    console.type(":topic create more --partitions 2\r")
    eventually(lambda: topics(console.kafka).get("more") == 2)


def test_purge_needs_the_name(console):
    create(console.kafka, "orders", partitions=1)
    produce(console.kafka, "orders", 1204)
    console.type("3")
    console.wait("1.2k")
    console.type("P")
    console.wait("1,204 records in 1 partition")
    console.type("order\r")
    console.wait("`order` is not orders; nothing was done.")
    assert watermarks(console.kafka, "orders") == (0, 1204)
    console.type("s\r")
    console.wait_gone("Delete records of")
    eventually(lambda: watermarks(console.kafka, "orders") == (1204, 1204))
    console.type("D")
    console.wait("Delete orders")
    console.type("\r")
    console.wait_gone("Delete orders")
    assert "orders" in topics(console.kafka)
    console.type("Dorders\r")
    eventually(lambda: "orders" not in topics(console.kafka))
    console.wait("No topics.")


def test_lag_is_true_and_offsets_are_reset_after_a_dry_run(console):
    create(console.kafka, "orders", partitions=1)
    produce(console.kafka, "orders", 500)
    commit(console.kafka, "billing", "orders", 380)
    console.type("4")
    console.wait("billing")
    row = re.compile(r"billing +\w+ +empty +0 +120 ")
    eventually(lambda: row.search(console.text))
    console.type("\r")
    console.wait("lag 120")
    detail = re.compile(r" 0 +500 +380 +120 ")
    eventually(lambda: detail.search(console.text))
    console.type("O")
    console.wait("1 partition of 1 moves: 380 to be read again, 0 skipped")
    assert committed(console.kafka, "billing", "orders") == 380
    console.type("d")
    console.wait("Dry run: 1 partition")
    console.type("\x1b")
    console.wait("weir group reset billing --topic orders --to earliest")
    console.type("S")
    console.wait_gone("Reset offsets of group")
    eventually(lambda: committed(console.kafka, "billing", "orders") == 0)
    console.wait("lag 500")
    console.type(":group reset billing --to 17\r")
    console.wait("weir group reset billing --topic orders --to 17")
    console.wait("0 to be read again, 17 skipped")
    console.type("S")
    eventually(lambda: committed(console.kafka, "billing", "orders") == 17)


def test_a_group_with_members_is_not_reset(console):
    create(console.kafka, "orders", partitions=1)
    produce(console.kafka, "orders", 10)
    consumer = Consumer({"bootstrap.servers": console.kafka, "group.id": "busy", "auto.offset.reset": "earliest"})
    consumer.subscribe(["orders"])
    try:
        eventually(lambda: consumer.poll(0.2))
        consumer.commit(asynchronous=False)
        console.type("4")
        console.wait("busy")
        console.type("O")
        eventually(lambda: re.search(r"Dry run +.*busy", console.text))
        console.type("S")
        console.wait("nothing was done")
    finally:
        consumer.close()


def test_read_only(tmp_path):
    console = EmbeddedBroker(tmp_path / "data", "--read-only")
    try:
        assert " RO " in console.lines[0]
        console.type("A")
        console.wait("read-only: this console changes nothing")
        assert "add topic" not in console.text
    finally:
        console.end()


def test_freeze_and_step(console):
    console.type("z")
    console.wait("FROZEN")
    console.type(",,")
    clock = console.lines[0].split()[-1]
    time.sleep(2.2)
    assert console.lines[0].split()[-1] == clock
    console.type("z")
    console.wait_gone("FROZEN")


def test_the_broker_outlives_its_terminal(console):
    create(console.kafka, "orders")
    console.hang_up()
    time.sleep(1)
    assert "orders" in topics(console.kafka)
    produce(console.kafka, "orders", 10)
    os.kill(console.process.pid, signal.SIGTERM)
    assert console.wait_exit() == (0, None)


def test_a_demo_ends_with_its_terminal():
    """It has nobody left to show anything to; and its workload goes before its broker, so that nothing waits for answers."""
    demo = Terminal("demo", "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0")
    try:
        demo.wait("Needs attention")
        demo.hang_up()
        assert demo.wait_exit(seconds=5) == (0, None)
    finally:
        demo.end()


def test_a_crash_asks_nothing(tmp_path):
    """The runtime would wait on the terminal for an answer; a crashed broker must be gone, so that another can start."""
    broker = EmbeddedBroker(tmp_path / "data", cwd=tmp_path, SWIFT_BACKTRACE="")
    try:
        assert b"SWIFT_BACKTRACE=interactive=no" not in Path(f"/proc/{broker.process.pid}/environ").read_bytes()
    finally:
        broker.end()
    broker = EmbeddedBroker(tmp_path / "data", cwd=tmp_path, SWIFT_BACKTRACE=None)
    try:
        assert b"SWIFT_BACKTRACE=interactive=no" in Path(f"/proc/{broker.process.pid}/environ").read_bytes()
        assert Path(f"/proc/{broker.process.pid}/comm").read_text().strip() == "weir"
    finally:
        broker.end()


def test_the_console_closes_and_the_broker_goes_on(console):
    console.type("q")
    console.wait("Leave the console")
    console.type("\r")
    console.wait_gone("Leave the console")
    console.type("q")
    console.wait("Leave the console")
    console.type("x")
    console.wait("the broker goes on here")
    assert LEFT_ALTERNATE_SCREEN in console.bytes
    create(console.kafka, "orders")
    again = Terminal("console", "--attach", console.http)
    try:
        again.wait("1 topic,")
        again.type("q")
        assert again.wait_exit() == (0, None)
    finally:
        again.end()
    console.type("\x03")
    assert console.wait_exit() == (0, None)


def test_the_broker_stops_from_its_console(console):
    console.type("q")
    console.wait("Leave the console")
    console.type("S")
    assert console.wait_exit() == (0, None)
    assert LEFT_ALTERNATE_SCREEN in console.bytes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT])
def test_the_terminal_is_restored(console, number):
    os.kill(console.process.pid, number)
    console.wait_exit()
    assert LEFT_ALTERNATE_SCREEN in console.bytes
    # Nothing is drawn after the terminal was given back.
    assert b"\x1b[?1049h" not in console.bytes.split(LEFT_ALTERNATE_SCREEN)[-1]


def test_control_z_does_not_freeze_the_broker(console):
    console.type("\x1a")
    console.wait("^Z would stop the broker too")
    create(console.kafka, "orders")
    console.wait("1 topic,")


def test_attached_survives_the_brokers_restart(broker):
    console = Terminal("console", "--attach", broker.http)
    try:
        create(broker.kafka, "orders")
        console.wait("1 topic,")
        broker.kill()
        console.wait("STALE")
        console.wait("retry")
        console.type("3A")
        console.wait("not connected: nothing can be changed now")
        broker.start()
        console.type("r")
        console.wait_gone("STALE", 30)
        console.wait("orders")
        console.type("A")
        console.wait("Create topic")
        console.type("second\r\r\r")
        eventually(lambda: "second" in topics(broker.kafka))
        console.type("q")
        assert console.wait_exit() == (0, None)
    finally:
        console.end()


def test_attached_waits_for_a_broker(tmp_path):
    broker = Broker(tmp_path / "data").start()
    broker.stop()
    console = Terminal("console", "--attach", broker.http)
    try:
        console.wait("r now")
        broker.start()
        console.wait("[1 Overview]", 30)
    finally:
        console.end()
        broker.stop()


def test_at_rest_it_is_quiet(broker):
    """At most 200 bytes a second to the terminal when nothing happens."""
    console = Terminal("console", "--attach", broker.http, columns=200, rows=60)
    try:
        console.wait("[1 Overview]")
        time.sleep(3)
        rate = console.bytes_in(10) / 10
        print(f"at rest: {rate:.0f} bytes/s")
        assert rate <= 200
    finally:
        console.end()


@pytest.mark.seconds(180)
def test_a_frame_at_a_thousand_topics_costs_at_most_5_ms(console):
    for start in range(0, 1000, 100):
        create(console.kafka, *[f"topic-{number:04}" for number in range(start, start + 100)], partitions=1)
    console.resize(200, 60)
    console.type("3--")
    console.wait("1,000 topics")
    console.wait("refresh every 250 ms")
    time.sleep(2)
    seconds = 10
    before = console.thread_cpu_ns("console")
    time.sleep(seconds)
    per_frame = (console.thread_cpu_ns("console") - before) / 1e6 / (seconds * 4)
    print(f"a frame at 1,000 topics, 200x60: {per_frame:.2f} ms of CPU")
    assert per_frame <= 5
    console.type("G")
    console.wait("topic-0999")


def test_mouse_copy_and_export(console, tmp_path):
    create(console.kafka, "orders")
    console.wait("1 topic,")
    console.type("\x1b[<0;30")
    time.sleep(0.03)
    console.type(";2M\x1b[<0;30;2m")
    console.wait("[3 Topics]")
    console.wait("orders")
    console.type("y")
    console.wait("copied orders")
    assert b"\x1b]52;c;" + base64.b64encode(b"orders") in console.bytes
    console.type("e")
    console.wait("exported to ./weir-")
    file = next(tmp_path.glob("weir-*.json"))
    assert [row["name"] for row in json.loads(file.read_text())["topics"]["rows"]] == ["orders"]


@pytest.mark.parametrize("term", ["dumb", "no-such-terminal"])
def test_a_terminal_that_cannot_show_it_is_no_reason_to_end(tmp_path, term):
    terminal = Terminal(
        "serve", "--console", "--data", str(tmp_path / "data"), "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", columns=160, TERM=term)
    try:
        terminal.wait("the console could not start")
        terminal.wait("data=")
        kafka = next(word for word in terminal.text.split() if word.startswith("kafka=")).removeprefix("kafka=")
        create(kafka, "orders")
    finally:
        terminal.end()


def test_glyph_and_colour_ladders(broker):
    plain = Terminal("console", "--attach", broker.http, LANG="C", NO_COLOR="1")
    rich = Terminal("console", "--attach", broker.http, "--theme", "dark", COLORTERM="truecolor")
    try:
        plain.wait("[1 Overview]")
        rich.wait("[1 Overview]")
        time.sleep(1)
        assert plain.bytes.isascii()
        assert not re.search(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8])(?:;[0-9;]*)?m", plain.bytes)
        assert "+ Throughput 5m ---" in plain.text
        assert b"38;2;" in rich.bytes or b"38;5;" in rich.bytes  # 24 bits where ncurses-term is installed
    finally:
        plain.end()
        rich.end()
