"""Share consumers as tests drive them, and the admin requests that no Python client has yet."""

import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import confluent_kafka
import kafka
from confluent_kafka import AcknowledgeType
from kafka.admin import ConfigResource, ConfigResourceType

ACCEPT, RELEASE, REJECT = AcknowledgeType.ACCEPT, AcknowledgeType.RELEASE, AcknowledgeType.REJECT


def consumer(broker, group, topics, **config):
    """A share consumer that answers every message itself."""
    share = confluent_kafka.ShareConsumer(
        {"bootstrap.servers": broker.kafka, "group.id": group, "share.acknowledgement.mode": "explicit", "log_level": 0, **config})
    share.subscribe(topics if isinstance(topics, list) else [topics])
    return share


def poll(share, count=1, seconds=15, answer=ACCEPT):
    """Polls until `count` messages are there and answers each, by `answer` or by what it makes of the message."""
    found, deadline = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        found += answered(share, share.poll(0.2), answer)
    return found


def answered(share, messages, answer=ACCEPT):
    kept = []
    for message in messages:
        assert message.error() is None, message.error()
        share.acknowledge(message, answer(message) if callable(answer) else answer)
        kept.append(message)
    return kept


def quiet(share, seconds=1.5):
    """Polls for a while; whatever comes is answered and returned."""
    return poll(share, 1 << 30, seconds)


def values(messages):
    return sorted(message.value() for message in messages)


def commit(share):
    """Sends the answers; the error names by partition, those without error left out."""
    return {(p.topic, p.partition): error.args[0].name() for p, error in share.commit_sync(timeout=20.0).items() if error}


def configure(broker, group, **settings):
    admin = kafka.KafkaAdminClient(bootstrap_servers=broker.kafka)
    try:
        resource = ConfigResource(ConfigResourceType.GROUP, group, {k.replace("_", "."): str(v) for k, v in settings.items()})
        result = admin.alter_configs([resource])["group"][group]
        if result != "OK":
            raise ValueError(result)
    finally:
        admin.close()


class Process:
    """A share consumer in a process of its own that takes messages and never answers them."""

    def __init__(self, broker, group, topic):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("share_member.py")), broker.kafka, group, topic], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.offsets = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self.offsets.append(int(line))

    def kill(self):
        self.process.kill()
        self.process.wait()


# Requests by hand: header version 2, all fields compact.


def text(value):
    raw = value.encode()
    return varint(len(raw) + 1) + raw


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def array(items):
    return varint(len(items) + 1) + b"".join(items)


class Answer:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def number(self, form):
        [value] = struct.unpack_from(">" + form, self.raw, self.at)
        self.at += struct.calcsize(form)
        return value

    def varint(self):
        value = shift = 0
        while True:
            byte = self.number("B")
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def text(self):
        length = self.varint() - 1
        if length < 0:
            return None
        self.at += length
        return self.raw[self.at - length:self.at].decode()

    def list(self, read):
        return [read() for _ in range(self.varint() - 1)]

    def uuid(self):
        self.at += 16
        return self.raw[self.at - 16:self.at]

    def tags(self):
        assert self.varint() == 0

    def end(self):
        assert self.at == len(self.raw), f"{len(self.raw) - self.at} bytes too many"


def request(broker, key, version, body):
    header = struct.pack(">hhi", key, version, 7) + struct.pack(">h", 4) + b"test" + b"\0"
    with socket.create_connection(broker.address, 10) as connection:
        connection.sendall(struct.pack(">i", len(header + body)) + header + body)
        raw = b""
        while len(raw) < 4 or len(raw) < 4 + struct.unpack(">i", raw[:4])[0]:
            got = connection.recv(65536)
            assert got, "the broker closed the connection"
            raw += got
    answer = Answer(raw[4:])
    assert answer.number("i") == 7
    answer.tags()
    assert answer.number("i") == 0  # throttle time
    return answer


def describe_offsets(broker, group):
    """{(topic, partition): (start offset, lag)}; or the error."""
    answer = request(broker, 90, 1, array([text(group) + varint(0) + b"\0"]) + b"\0")
    found = {}

    def topic():
        name = answer.text()
        answer.uuid()

        def partition():
            index, start, _, lag = answer.number("i"), answer.number("q"), answer.number("i"), answer.number("q")
            assert (answer.number("h"), answer.text()) == (0, None)
            answer.tags()
            found[name, index] = (start, lag)

        answer.list(partition)
        answer.tags()

    def described():
        assert answer.text() == group
        answer.list(topic)
        code = answer.number("h")
        answer.text()
        answer.tags()
        return code

    [code] = answer.list(described)
    answer.tags()
    answer.end()
    return code or found


def alter_offsets(broker, group, topic, offsets):
    """The request's error; 0 when each partition was moved."""
    partitions = [struct.pack(">iq", index, offset) + b"\0" for index, offset in offsets.items()]
    answer = request(broker, 91, 0, text(group) + array([text(topic) + array(partitions) + b"\0"]) + b"\0")
    code = answer.number("h")
    answer.text()

    def moved():
        assert answer.text() == topic
        answer.uuid()

        def partition():
            answer.number("i")
            result = answer.number("h")
            answer.text()
            answer.tags()
            return result

        results = answer.list(partition)
        answer.tags()
        return max(results)

    results = answer.list(moved)
    answer.tags()
    answer.end()
    return code or max(results)


def delete_offsets(broker, group, topic):
    answer = request(broker, 92, 0, text(group) + array([text(topic) + b"\0"]) + b"\0")
    code = answer.number("h")
    answer.text()

    def deleted():
        assert answer.text() == topic
        answer.uuid()
        result = answer.number("h")
        answer.text()
        answer.tags()
        return result

    results = answer.list(deleted)
    answer.tags()
    answer.end()
    return code or max(results)


def describe_group(broker, group):
    """(error, state, {member: {topic: partitions}})."""
    answer = request(broker, 77, 1, array([text(group)]) + b"\0" + b"\0")

    def assigned():
        answer.uuid()
        name = answer.text()
        partitions = answer.list(lambda: answer.number("i"))
        answer.tags()
        return name, partitions

    def member():
        name = answer.text()
        answer.text(), answer.number("i"), answer.text(), answer.text(), answer.list(answer.text)
        assignment = dict(answer.list(assigned))
        answer.tags()
        answer.tags()
        return name, assignment

    def described():
        code = answer.number("h")
        answer.text()
        assert answer.text() == group
        state = answer.text()
        answer.number("i"), answer.number("i"), answer.text()
        members = dict(answer.list(member))
        answer.number("i")
        answer.tags()
        return code, state, members

    [found] = answer.list(described)
    answer.tags()
    answer.end()
    return found
