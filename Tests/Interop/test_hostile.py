"""Frames no client should send: the broker answers or closes, stays up, and keeps its memory bounded."""

import random
import socket
import struct

import confluent_kafka
import pytest
from capture import Capture, exactly
from clients import Confluent, admin, create_topic
from test_admin import commit

MESSAGES = [(b"k", str(i).encode()) for i in range(20)]


def exchange(broker, data, wait=1.0):
    """Sends bytes, says that nothing follows, and returns what comes back until the broker closes."""
    connection = socket.create_connection(broker.address, timeout=wait)
    answer = b""
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            answer += part
    except (TimeoutError, ConnectionError):
        pass
    finally:
        connection.close()
    return answer


def frame(key, version, body=b"", correlation=7, client=b"\x00\x01x"):
    payload = struct.pack(">hhi", key, version, correlation) + client + body
    return struct.pack(">i", len(payload)) + payload


def assert_serves(broker):
    broker.assert_alive()
    Confluent.produce(broker, "still", MESSAGES)
    assert Confluent.read(broker, "still", 20) == MESSAGES


CASES = {
    "nothing": b"",
    "half a length": b"\x00\x00",
    "length 0": b"\x00\x00\x00\x00",
    "negative length": b"\xff\xff\xff\xff" + b"x" * 100,
    "length 2 GiB": b"\x7f\xff\xff\xff" + b"x" * 100,
    "length 100 MiB + 1": struct.pack(">i", (100 << 20) + 1) + b"x" * 100,
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": bytes.fromhex("160301020001000001fc0303") + b"\x00" * 500,
    "truncated": frame(3, 1, b"\x00\x00\x00\x01")[:-2],
    "unknown API": frame(9999, 0),
    "negative API": frame(-5, 0),
    "negative version": frame(3, -1, b"\x00\x00\x00\x00"),
    "metadata of a version to come": frame(3, 99, b"\x00" * 20),
    "metadata count -5": frame(3, 1, struct.pack(">i", -5)),
    "metadata count 2^31-1": frame(3, 1, struct.pack(">i", 2**31 - 1)),
    "metadata name of length -2": frame(3, 1, struct.pack(">ih", 1, -2)),
    "metadata name longer than the frame": frame(3, 1, struct.pack(">ih", 1, 32_000) + b"a"),
    "metadata varint without end": frame(3, 9, b"\x00" + b"\xff" * 12),
    "client id of length -2": frame(3, 1, b"\x00\x00\x00\x00", client=b"\xff\xfe"),
    "header cut": struct.pack(">i", 3) + b"\x00\x03\x00",
    "bytes after the body": frame(3, 1, b"\x00\x00\x00\x00" + b"more"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_frame_hurts_nobody(broker, name):
    exchange(broker, CASES[name])
    assert_serves(broker)
    assert broker.resident_mib < 300


def test_an_unknown_apiversions_version_is_answered_as_kip_511_says(broker):
    # Header version 2: no tagged fields after the client id; the body is whatever a later version may hold.
    answer = exchange(broker, frame(18, 99, b"\x00" + b"whatever comes"))
    size, correlation, error = struct.unpack(">iih", answer[:10])
    assert (size, correlation, error) == (len(answer) - 4, 7, 35)


def test_declared_sizes_reserve_no_memory(broker):
    create_topic(broker, "still")
    before = broker.resident_mib
    held = [socket.create_connection(broker.address) for _ in range(100)]
    for connection in held:
        connection.sendall(struct.pack(">i", 99 << 20) + struct.pack(">hhi", 0, 9, 1) + b"x" * 1000)
    assert_serves(broker)
    grown = broker.resident_mib - before
    for connection in held:
        connection.close()
    assert grown < 150, f"{grown:.0f} MiB for 100 announced requests of 99 MiB"


def test_a_client_that_never_reads_is_held_back(broker):
    create_topic(broker, "big")
    Confluent.produce(broker, "big", [(b"k", b"x" * 500_000)] * 40)
    before = broker.resident_mib
    # ApiVersions v0 requests without end, answers never read.
    request = frame(18, 0) * 1000
    held = [socket.create_connection(broker.address) for _ in range(10)]
    for connection in held:
        connection.settimeout(2)
        try:
            for _ in range(300):
                connection.sendall(request)
        except TimeoutError:
            pass
    assert_serves(broker)
    grown = broker.resident_mib - before
    for connection in held:
        connection.close()
    assert grown < 400, f"{grown:.0f} MiB for 10 clients that never read"


@pytest.fixture
def recorded(broker):
    """The requests of a session that produces, reads in a group and administers."""
    relay = Capture(broker)

    class Relayed:
        kafka = relay.kafka

    # Clients go to the address metadata gives after the first answer, so the broker must name the relay's.
    broker.stop()
    broker.flags = ("--advertise", relay.kafka)
    broker.start()
    create_topic(Relayed, "t", 2, **{"retention.ms": 1_000_000})
    for codec in ["none", "lz4"]:
        Confluent.produce(Relayed, "t", MESSAGES, codec=codec, **{"enable.idempotence": True})
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": relay.kafka, "group.id": "g", "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50})
    consumer.subscribe(["t"])
    got = []
    while len(got) < 40:
        got += consumer.consume(40, timeout=1)
    consumer.commit(asynchronous=False)
    consumer.close()
    commit(Relayed, "g2", 3)
    admin(Relayed).describe_consumer_groups(["g"])["g"].result(10)
    admin(Relayed).list_consumer_groups().result(10)
    admin(Relayed).delete_records([confluent_kafka.TopicPartition("t", 0, 1)])
    relay.close()
    kinds = {struct.unpack(">hh", f[:4]) for f in relay.frames}
    assert len(kinds) >= 12, kinds
    return relay.frames


def damaged(frame, choose):
    data = bytearray(frame)
    for _ in range(choose.choice([1, 1, 2, 5])):
        kind = choose.randrange(6)
        # The first four bytes choose the API: mostly left alone, so that the damage reaches its decoder.
        at = choose.randrange(4 if choose.random() < 0.95 and len(data) > 4 else 0, max(len(data), 5))
        if at >= len(data):
            continue
        if kind == 0:
            data[at] = choose.randrange(256)
        elif kind == 1:
            data[at] ^= 1 << choose.randrange(8)
        elif kind == 2:
            data[at:at + 4] = choose.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x00"])
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data[at:at] = bytes(choose.randrange(256) for _ in range(choose.randrange(1, 20)))
        else:
            data[at:at + 2] = choose.choice([b"\xff\xfe", b"\x7f\xff", b"\x80\x00"])
    return bytes(data)


@pytest.mark.seconds(240)
@pytest.mark.parametrize("seed", [11, 12])
def test_damaged_frames_of_real_clients(broker, recorded, seed):
    choose = random.Random(seed)
    for _ in range(1500):
        data = damaged(choose.choice(recorded), choose)
        exchange(broker, struct.pack(">i", len(data)) + data, wait=0.02)
        broker.assert_alive()
    broker.stop()
    broker.flags = ()
    broker.start()
    assert_serves(broker)
    assert broker.resident_mib < 400


@pytest.mark.seconds(120)
def test_undamaged_frames_can_be_sent_again(broker, recorded):
    """The harness itself: what was recorded is understood by the broker, so damage reaches past the header."""
    answered = 0
    for frame in recorded:
        connection = socket.create_connection(broker.address, timeout=2)
        try:
            connection.sendall(struct.pack(">i", len(frame)) + frame)
            size = int.from_bytes(exactly(connection, 4), "big")
            answered += exactly(connection, size)[:4] == frame[4:8]
        except OSError:
            pass
        finally:
            connection.close()
    assert answered > len(recorded) * 0.8


@pytest.mark.parametrize("seed", [21])
def test_noise(broker, seed):
    choose = random.Random(seed)
    for _ in range(200):
        exchange(broker, choose.randbytes(choose.randrange(1, 2000)), wait=0.02)
    assert_serves(broker)


def test_a_damaged_batch_is_refused_and_not_stored(broker):
    create_topic(broker, "crc")
    Confluent.produce(broker, "crc", MESSAGES[:1])
    import clients

    assert clients.end_offsets(broker, "crc") == [1]
    batch = bytearray(record_batch(b"hello"))
    batch[-1] ^= 1
    body = struct.pack(">hhii", -1, 1, 1000, 1) + struct.pack(">h3s", 3, b"crc") + struct.pack(">iii", 1, 0, len(batch)) + bytes(batch)
    answer = exchange(broker, frame(0, 3, body))
    # size, correlation, one topic, its name, one partition, its index, then the error: 2 is CORRUPT_MESSAGE.
    assert struct.unpack(">h", answer[4 + 4 + 4 + 2 + 3 + 4 + 4:][:2]) == (2,)
    assert clients.end_offsets(broker, "crc") == [1]


def record_batch(value):
    record = b"\x00\x00\x00\x01" + bytes([2 * len(value)]) + value + b"\x00"
    records = bytes([2 * len(record)]) + record
    after_crc = struct.pack(">hiqqqhii", 0, 0, 1_700_000_000_000, 1_700_000_000_000, -1, -1, -1, 1) + records
    head = struct.pack(">ib", 0, 2) + struct.pack(">I", crc32c(after_crc)) + after_crc
    return struct.pack(">qi", 0, len(head)) + head


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
