"""Dead letters and redrives with a real share consumer, across kills of the broker: no message is lost, none is there twice."""

import random
import threading
import time
from collections import Counter

import confluent_kafka
import pytest
import share
from broker import eventually
from clients import Confluent
from share import ACCEPT, REJECT

COUNT = 20_000


def fill(broker, count, **config):
    Confluent.produce(broker, "work", [(None, b"%06d" % number) for number in range(count)], **config)


def row(broker, queue):
    """As the broker's last look at its queues has it, at most a second old; empty before the first."""
    return next((row for row in broker.weir_json("queue", "ls") if row["name"] == queue), Counter())


def logged(broker, topic, count):
    """Values in a topic's log, however often it was delivered or settled."""
    return Counter(value for _, value in Confluent.read(broker, topic, count))


def reject_all(broker, count):
    consumer = share.consumer(broker, "work", "work")
    assert len(share.poll(consumer, count, seconds=60, answer=REJECT)) == count
    assert share.commit(consumer) == {}
    consumer.close()


def test_dead_letters_go_back_to_their_origin(broker):
    broker.weir("queue", "declare", "work", "--dead-letter", "auto")
    fill(broker, 500)
    reject_all(broker, 500)
    eventually(lambda: row(broker, "work.dlq")["ready"] == 500)
    assert "500" in broker.weir("redrive", "work.dlq", "--dry-run")
    assert "500 sent" in broker.weir("redrive", "work.dlq")
    eventually(lambda: row(broker, "work.dlq")["ready"] == 0 and row(broker, "work")["ready"] == 500)
    messages = share.poll(share.consumer(broker, "work", "work"), 500)
    headers = dict(messages[0].headers())
    assert headers["weir.redriven"] == b"1" and b'"reason":"rejected"' in headers["x-death"]
    assert not [name for name in headers if name.startswith("__dlq.errors.")]


@pytest.mark.seconds(300)
def test_kills_during_a_redrive_conserve_every_message(broker):
    broker.weir("queue", "declare", "work", "--dead-letter", "auto")
    fill(broker, COUNT)
    reject_all(broker, COUNT)
    eventually(lambda: row(broker, "work.dlq")["ready"] == COUNT, seconds=60)
    broker.weir("redrive", "work.dlq", "--detach", "--rate", "4000")
    chance = random.Random(7)
    kills = 0
    while kills < 20:
        time.sleep(chance.uniform(0.02, 0.4))
        broker.kill()
        kills += 1
        broker.start()
        if broker.weir_json("job", "ls")[0]["endedMs"]:
            break
    assert kills >= 10, f"the redrive was over after {kills} kills"
    job = eventually(lambda: next((j for j in broker.weir_json("job", "ls") if j["endedMs"]), None), seconds=120)
    assert (job["state"], job["sent"]) == ("done", COUNT)
    eventually(lambda: row(broker, "work.dlq")["ready"] == 0 and row(broker, "work")["ready"] == COUNT)
    # Each message is in the origin's log twice: as it was published, and as it came back.
    assert set(logged(broker, "work", 2 * COUNT).values()) == {2}
    assert set(logged(broker, "work.dlq", COUNT).values()) == {1}


def reject_until(broker, stop, seen):
    """Rejects what comes, slowly enough that kills fall between; a broker that is gone is waited for."""
    consumer = share.consumer(broker, "work", "work", **{"max.poll.records": 100})
    while not stop.is_set():
        try:
            seen.append(len(share.answered(consumer, consumer.poll(0.1), REJECT)))
            share.commit(consumer)
            time.sleep(0.05)
        except (AssertionError, confluent_kafka.KafkaException, confluent_kafka.IllegalStateException):
            pass  # killed in the middle: what was not answered comes again
    consumer.close()


@pytest.mark.seconds(300)
def test_kills_while_messages_die_conserve_every_message(broker):
    broker.weir("queue", "declare", "work", "--dead-letter", "auto")
    fill(broker, COUNT, **{"batch.num.messages": 20})
    chance = random.Random(11)
    stop, seen = threading.Event(), []
    consumer = threading.Thread(target=reject_until, args=(broker, stop, seen))
    consumer.start()
    kills, deaths = 0, []
    while kills < 20:
        time.sleep(chance.uniform(0.2, 1.5))
        deaths.append(len(seen))
        broker.kill()
        kills += 1
        broker.start()
    stop.set()
    consumer.join()

    def settled():
        work, dead = row(broker, "work"), row(broker, "work.dlq")
        return work["unacked"] == 0 and work["ready"] + work["retrying"] + dead["ready"] == COUNT

    eventually(settled, seconds=60)
    dead = row(broker, "work.dlq")["ready"]
    assert dead > 0 and len(set(deaths)) >= 5, f"messages died in few of the lives only: {deaths}"
    assert set(logged(broker, "work.dlq", dead).values()) == {1}


def test_a_full_queue_passes_on_what_it_refuses(broker):
    broker.weir("queue", "declare", "work", "--dead-letter", "auto", "--max-depth", "10", "--overflow", "reject-publish-dlx")
    fill(broker, 10)
    errors = []
    for config in ({"enable.idempotence": True}, {"enable.idempotence": False, "acks": "1"}):
        producer = confluent_kafka.Producer({"bootstrap.servers": broker.kafka, "linger.ms": 0, "log_level": 0, **config})
        for number in range(5):
            producer.produce("work", b"late %d" % number, on_delivery=lambda error, _: errors.append(error and error.code()))
            assert producer.flush(20) == 0
    assert errors == [confluent_kafka.KafkaError.POLICY_VIOLATION] * 10
    eventually(lambda: row(broker, "work.dlq")["ready"] == 10 and row(broker, "work")["ready"] == 10)
    assert logged(broker, "work.dlq", 10) == {b"late %d" % number: 2 for number in range(5)}
    [reason] = {m["reason"] for m in broker.weir_json("dead", "show", "work.dlq")}
    assert reason == "maxlen"


def test_a_job_tells_what_became_of_each_message(broker):
    broker.weir("queue", "declare", "work", "--dead-letter", "auto")
    fill(broker, 20)
    reject_all(broker, 20)
    eventually(lambda: row(broker, "work.dlq")["ready"] == 20)
    broker.weir("redrive", "work.dlq")
    consumer = share.consumer(broker, "work", "work")
    assert len(share.poll(consumer, 20, answer=lambda m: REJECT if m.value() == b"000007" else ACCEPT)) == 20
    assert share.commit(consumer) == {}

    def outcomes():
        [job] = broker.weir_json("job", "show", "1", "--outcomes")
        return [(row["from"], row["count"], row["outcome"], row["to"], row["reason"]) for row in job["outcomes"]]

    expected = [
        ("0/0", 7, "acked", "0/20", None), ("0/7", 1, "died again", "0/27", "rejected"), ("0/8", 12, "acked", "0/28", None)]
    eventually(lambda: outcomes() == expected)
    broker.restart()
    assert outcomes() == expected
    text = broker.weir("job", "show", "1", "--outcomes")
    assert "0/8–19\t12\tacked\twork 0/28–39\t-" in text.splitlines()
