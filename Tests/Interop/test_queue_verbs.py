"""The verbs for queues say at once what has just been done, and the admin door says the same."""

import json
import subprocess

import share
from broker import BINARY, eventually
from share import RELEASE, REJECT
from test_command_line import ask, metrics


def queue(broker, name):
    return next((row for row in broker.weir_json("queue", "ls") if row["name"] == name), None)


def publish(broker, name, *values, **options):
    flags = [word for key, value in options.items() for word in ("--" + key.replace("_", "-"), value)]
    for value in values:
        run = subprocess.run([BINARY, "publish", name, value, "--kafka", broker.kafka, *flags], capture_output=True, text=True, timeout=30)
        assert run.returncode == 0, run.stderr


def test_a_queue_is_there_as_soon_as_it_is_declared(broker):
    broker.weir("queue", "declare", "work", "--retry-levels", "10s,1m", "--delivery-limit", "3", "--dead-letter", "auto", "--max-depth", "100")
    row = queue(broker, "work")
    for name in ["name", "ready", "unacked", "delayed", "retrying", "dead", "inRate", "outRate", "consumers", "oldestMs", "held"]:
        assert name in row
    text = broker.weir("queue", "describe", "work")
    assert "3 attempts, 10s 1m" in text and "work.dlq" in text and "100 msgs" in text
    publish(broker, "work", "a", "b")
    assert queue(broker, "work")["ready"] == 2
    broker.weir("queue", "delete", "work", "--yes")
    assert queue(broker, "work") is None
    assert "there is no queue 'work'" in broker.weir("queue", "describe", "work", expect=1)


def test_purge_says_its_undo_and_undo_brings_back(broker):
    broker.weir("queue", "declare", "work")
    publish(broker, "work", "a", "b", "c")
    assert "this purges 3 messages" in broker.weir("queue", "purge", "work", expect=1)
    [outcome] = broker.weir_json("queue", "purge", "work", "--yes")
    assert queue(broker, "work")["ready"] == 0
    broker.weir("undo", outcome["undo"])
    assert queue(broker, "work")["ready"] == 3
    commands = [row["command"] for row in broker.weir_json("audit")]
    assert commands[:2] == [f"weir undo {outcome['undo']}", "weir queue purge work --yes"]


def test_gates(broker):
    broker.weir("queue", "declare", "work")
    broker.weir("queue", "hold", "work")
    assert queue(broker, "work")["held"] is True
    assert broker.weir("queue", "ls").splitlines()[1].split("\t")[1] == "held"
    broker.restart()
    assert queue(broker, "work")["held"] is True
    broker.weir("queue", "resume", "work")
    assert queue(broker, "work")["held"] is False


def test_delayed_messages(broker):
    broker.weir("queue", "declare", "later", "--config", "delay.enable=true")
    broker.weir("queue", "declare", "now")
    publish(broker, "later", "one", "two", "three", delay="1h")
    rows = broker.weir_json("delay", "ls", "later")
    assert [row["value"] for row in rows] == ["one", "two", "three"]
    assert queue(broker, "later")["delayed"] == 3
    assert sum(row["delayed"] for row in broker.weir_json("delay", "ls")) == 3
    [shown] = broker.weir_json("delay", "show", "later", rows[0]["id"])
    assert shown["value"] == "one" and shown["state"] == "delayed"
    broker.weir("delay", "cancel", "later", rows[0]["id"])
    broker.weir("delay", "run", "later", rows[1]["id"])
    broker.weir("delay", "reschedule", "later", rows[2]["id"], "--in", "2h")
    eventually(lambda: queue(broker, "later")["ready"] == 1)
    [left] = broker.weir_json("delay", "ls", "later")
    assert left["value"] == "three" and left["dueMs"] - rows[2]["dueMs"] > 3_000_000


def test_dead_letters_redrive_and_jobs(broker):
    broker.weir("queue", "declare", "work", "--dead-letter", "auto", "--retry-levels", "1h", "--delivery-limit", "2")
    publish(broker, "work", *"abcd")
    consumer = share.consumer(broker, "work", "work")
    assert len(share.poll(consumer, 4, answer=lambda m: REJECT if m.value() != b"d" else RELEASE)) == 4
    share.commit(consumer)
    consumer.close()
    eventually(lambda: queue(broker, "work.dlq") and queue(broker, "work.dlq")["ready"] == 3)
    assert queue(broker, "work")["retrying"] == 1
    assert [row["value"] for row in broker.weir_json("delay", "ls", "work", "--retries")] == ["d"]
    [dead] = broker.weir_json("dead", "ls")
    assert dead["name"] == "work.dlq" and dead["messages"] == 3 and dead["sources"] == ["work"]
    # Reasons and ages are read from the log in the background.
    eventually(lambda: (broker.weir_json("dead", "ls")[0]["oldestMs"] or 60_000) < 60_000)
    letters = broker.weir_json("dead", "show", "work.dlq")
    assert {row["reason"] for row in letters} == {"rejected"}
    broker.weir("dead", "discard", "work.dlq", letters[0]["id"], "--yes")
    [plan] = broker.weir_json("redrive", "work.dlq", "--dry-run")
    assert plan["go"] == 2 and plan["targets"] == {"work": 2}
    [job] = broker.weir_json("redrive", "work.dlq")
    assert (job["state"], job["sent"]) == ("done", 2)
    assert queue(broker, "work.dlq")["ready"] == 0 and queue(broker, "work")["ready"] == 2
    assert [row["id"] for row in broker.weir_json("job", "ls")] == [job["id"]]
    assert "there is no job 99" in broker.weir("job", "show", "99", expect=1)


def test_replay_makes_settled_messages_ready_again(broker):
    broker.weir("queue", "declare", "work")
    publish(broker, "work", *"abc")
    consumer = share.consumer(broker, "work", "work")
    assert len(share.poll(consumer, 3)) == 3
    share.commit(consumer)
    consumer.close()
    eventually(lambda: queue(broker, "work")["unacked"] == 0)
    assert queue(broker, "work")["ready"] == 0
    [plan] = broker.weir_json("replay", "work", "--from", "1", "--dry-run")
    assert plan["go"] == 2
    broker.weir("replay", "work", "--from", "1")
    assert queue(broker, "work")["ready"] == 2


def test_the_admin_door_has_the_same(broker):
    broker.weir("queue", "declare", "work", "--max-depth", "4")
    publish(broker, "work", "a", "b")
    status, body = ask(broker, "GET", "/weir/v1/queues?sort=ready&descending=true")
    assert status == 200 and [(row["name"], row["ready"]) for row in json.loads(body)["rows"]] == [("work", 2)]
    status, body = ask(broker, "GET", "/weir/v1/queues/work")
    assert status == 200 and json.loads(body)["row"]["limitShare"] == 0.5
    assert ask(broker, "GET", "/weir/v1/queues/none")[0] == 404
    for path in ["dead", "jobs", "audit", "delay"]:
        assert ask(broker, "GET", f"/weir/v1/{path}")[0] == 200, path
    samples, kinds = metrics(broker)
    assert samples['weir_queue_ready{queue="work"}'] == 2 and kinds["weir_queue_ready"] == "gauge"
    assert samples["weir_queues"] == 1 and kinds["weir_queue_dead_total"] == "counter"


def test_settings_are_altered_and_a_topic_stays_one(broker):
    broker.weir("topic", "create", "clicks", "--partitions", "2", "--config", "segment.bytes=1048576")
    broker.weir("topic", "alter", "clicks", "--config", "retention.ms=3d", "--unset", "segment.bytes")
    assert "retention.ms\t259200000\ttopic" in broker.weir("topic", "describe", "clicks")
    assert queue(broker, "clicks") is None
    assert "'weir topic alter' changes it" in broker.weir("queue", "alter", "clicks", "--max-depth", "5", expect=1)
    assert "not a whole number" in broker.weir("topic", "alter", "clicks", "--config", "retention.ms=soon", expect=1)
    broker.weir("queue", "declare", "work", "--max-depth", "9")
    broker.weir("queue", "alter", "work", "--rate-out", "0.5", "--unset", "max.depth")
    settings = broker.weir("queue", "describe", "work")
    assert "rate.out" in settings and "0.5" in settings
    broker.weir("group", "alter", "billing", "--config", "retry.levels=10s,1m")
    assert "unknown group setting 'retention.ms'" in broker.weir("group", "alter", "billing", "--config", "retention.ms=5", expect=1)
    commands = [row["command"] for row in broker.weir_json("audit")]
    assert "weir topic alter clicks --config retention.ms=259200000 --unset segment.bytes" in commands


def test_what_waits_in_one_object(broker):
    broker.weir("queue", "declare", "later", "--config", "delay.enable=true")
    publish(broker, "later", "x", delay="1h")
    [totals] = broker.weir_json("delay", "ls", "--totals")
    assert totals["delayed"] == 1 and totals["overdue"] == 0 and totals["nextDueMs"] > 3_000_000
    assert len(totals["forecast"]) > 0 and totals["attempts"] == []


def test_a_cancelled_message_comes_back_by_undo(broker):
    broker.weir("queue", "declare", "later", "--config", "delay.enable=true")
    publish(broker, "later", "x", delay="1h")
    [row] = broker.weir_json("delay", "ls", "later")
    [outcome] = broker.weir_json("delay", "cancel", "later", row["id"])
    assert broker.weir_json("delay", "ls", "later") == []
    broker.weir("undo", outcome["undo"])
    assert [message["value"] for message in broker.weir_json("delay", "ls", "later")] == ["x"]
