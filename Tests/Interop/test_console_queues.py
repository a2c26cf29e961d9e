"""Queues by keystroke: the real binary in a terminal, and Kafka's own share consumers to see that it happened."""

import re

import pytest
import share
from broker import eventually
from confluent_kafka import KafkaException, Producer
from terminal import EmbeddedBroker

BACK_TAB = "\x1b[Z"
ENTER = "\r"


@pytest.fixture
def console(tmp_path):
    terminal = EmbeddedBroker(tmp_path / "data", cwd=tmp_path)
    yield terminal
    terminal.end()


def submit(console, title):
    """From the first field back over Cancel's end to the last button, and press it."""
    console.type(BACK_TAB + ENTER)
    console.wait_gone(title)


def declare(console, name, delayed=False):
    console.type("2A")
    console.wait("Declare a queue")
    console.type(name)
    if delayed:
        console.type("\t\t ")
        console.wait("[x] each by its own header")
        console.type(BACK_TAB + BACK_TAB)
    submit(console, "Declare a queue")
    console.wait(f"{name}: queue declared")


def select(console, name):
    """The queue under the cursor of screen 2."""
    console.type(f"2/\x15{name}{ENTER}")
    console.wait(f"filter {name}")
    console.wait(f"┌ {name} ")


def produce(console, topic, count, **headers):
    producer = Producer({"bootstrap.servers": console.kafka})
    errors = []
    for number in range(count):
        producer.produce(
            topic, value=b"%d" % number, headers=[(name.replace("_", "-"), value) for name, value in headers.items()],
            on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(20) == 0
    return [error for error in errors if error]


def test_dead_letters_are_redriven(console):
    declare(console, "pay")
    worker = share.consumer(console, "pay", "pay")
    produce(console, "pay", 6)
    assert len(share.poll(worker, 6, answer=share.REJECT)) == 6
    share.commit(worker)
    console.type("6")
    console.wait("pay.dlq")
    console.type(ENTER)
    console.wait("REASON (grouped)")
    console.wait("rejected")
    console.type("R")
    console.wait("Redrive pay.dlq")
    console.wait("Dry run 6 go, 0 skip")
    console.wait("back to origin: pay 6")
    console.type("d")
    console.wait("6 messages would go")
    console.type(" q")
    console.wait_gone("Dry run: Redrive")
    console.type("S")
    assert len(share.poll(worker, 6, seconds=30)) == 6
    share.commit(worker)
    console.wait("6 sent", 30)
    console.type("8")
    console.wait("[8 Jobs]")
    console.wait("redrive")
    console.type("9")
    console.wait("weir redrive pay.dlq")
    console.assert_framed()
    worker.close()


def test_a_redrive_is_cancelled_and_nothing_is_lost(console):
    declare(console, "pay")
    worker = share.consumer(console, "pay", "pay")
    produce(console, "pay", 40)
    assert len(share.poll(worker, 40, answer=share.REJECT)) == 40
    share.commit(worker)
    console.type(f":redrive pay.dlq --rate 2{ENTER}")
    console.wait("Dry run 40 go")
    console.type("S")
    console.wait("C cancel")
    console.type("C")
    console.wait("cancelled")
    # What was sent is delivered, the rest is where it was: forty in all.
    sent = len(share.poll(worker, 40, seconds=4))
    assert 0 <= sent < 40
    share.commit(worker)
    console.type("6")
    eventually(lambda: any("pay.dlq" in line and f" {40 - sent} " in line for line in console.lines), 10)
    worker.close()


def test_purge_and_undo(console):
    declare(console, "mail")
    produce(console, "mail", 5)
    select(console, "mail")
    console.wait("ready 5")
    console.type("P")
    console.wait("Purge mail")
    console.type("mai" + ENTER)
    console.wait("nothing was done")
    console.type("l" + ENTER)
    console.wait("purged 5 messages")
    console.wait("ready 0")
    console.type("u")
    console.wait("ready 5")
    worker = share.consumer(console, "mail", "mail")
    assert share.values(share.poll(worker, 5)) == [b"0", b"1", b"2", b"3", b"4"]
    worker.close()


def test_hold_and_block(console):
    declare(console, "gate")
    select(console, "gate")
    console.type("H")
    console.wait("HELD")
    produce(console, "gate", 3)
    worker = share.consumer(console, "gate", "gate")
    assert share.quiet(worker, 2) == []
    console.type("H")
    console.wait_gone("HELD")
    assert len(share.poll(worker, 3)) == 3
    share.commit(worker)
    console.type("B")
    console.wait("BLOCK")
    assert len(produce_refused(console, "gate")) == 1
    console.type("u")
    console.wait_gone("BLOCK")
    assert produce(console, "gate", 1) == []
    worker.close()


def produce_refused(console, topic):
    producer = Producer({"bootstrap.servers": console.kafka, "message.timeout.ms": 3_000})
    errors = []
    try:
        producer.produce(topic, value=b"x", on_delivery=lambda error, _: errors.append(error))
        producer.flush(10)
    except KafkaException as error:
        errors.append(error)
    return [error for error in errors if error]


def test_replay_is_counted_and_brings_them_back(console):
    declare(console, "again")
    worker = share.consumer(console, "again", "again")
    produce(console, "again", 4)
    assert len(share.poll(worker, 4)) == 4
    share.commit(worker)
    select(console, "again")
    console.type("O")
    console.wait("Replay again")
    console.wait("Dry run 4 messages would be ready again")
    console.type("S")
    console.wait_gone("Replay again")
    assert share.values(share.poll(worker, 4)) == [b"0", b"1", b"2", b"3"]
    worker.close()


def test_write_look_and_discard(console):
    declare(console, "notes")
    select(console, "notes")
    console.type("W")
    console.wait("Write a message to notes")
    console.type('{"id":7,"tags":["a"]}')
    submit(console, "Write a message to notes")
    console.wait("1 message published")
    console.type(ENTER)
    console.wait('{"id":7')
    console.type("i")
    console.wait('"tags": [')
    console.type("q")
    console.wait_gone('"tags": [')
    console.type("X")
    console.wait("Discard 1 message of notes")
    console.type("S")
    console.wait("Empty. W writes a message.")


def test_a_delayed_message_is_cancelled(console):
    declare(console, "later", delayed=True)
    assert produce(console, "later", 2, x_delay="2400000") == []
    console.type("5")
    console.wait("Release schedule")
    console.type("jjjjjj" + ENTER)
    console.wait("Delayed in later, due in 30m-1h")
    eventually(lambda: re.search(r">  d\d-\d", console.text), 15)
    console.type("X")
    console.wait("Cancel 1 delayed message of later")
    console.type("S")
    console.wait("1 message cancelled")
    console.type("q")
    eventually(lambda: any("30m-1h" in line and " 1 " in line for line in console.lines), 10)


def test_read_only_refuses(tmp_path):
    terminal = EmbeddedBroker(tmp_path / "data", "--read-only", cwd=tmp_path)
    try:
        terminal.type("2A")
        terminal.wait("read-only: this console changes nothing")
        assert "Declare a queue" not in terminal.text
    finally:
        terminal.end()
