"""All of it from `weir demo` by keystroke: the real demo in a terminal, its own shop making what there is to act on.

The demo is live: numbers move while they are read, so that every wait is for words or for a count that only grows.
"""

import re

import pytest
from broker import eventually
from terminal import Terminal

ENTER = "\r"
# From second 10 on half of the shop's payments fail; they die after four attempts within about ten seconds.
UNTIL_PAYMENTS_DIE = 60


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    terminal = Terminal(
        "demo", "--console", "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", columns=140, rows=40, cwd=folder)
    try:
        terminal.wait("[1 Overview]", 30)
        yield terminal
    finally:
        terminal.end()


@pytest.fixture
def console(demo):
    """Out of whatever the last test left open: dialogs, details, filters."""
    demo.type("\x1b")
    eventually(lambda: "[ Cancel ]" not in demo.text, 5)
    demo.type("\x1b")
    eventually(lambda: True, 1)
    return demo


def select(console, name):
    """The queue under the cursor of screen 2, by a filter that only its name passes."""
    console.type(f"2/\x15~^{re.escape(name)}${ENTER}")
    console.wait(f"┌ {name} ", 30)


def figure(console, pattern, seconds=30):
    """The number that a pattern finds on the screen."""
    def found():
        match = re.search(pattern, console.text)
        return int(match[1].replace(",", "")) if match else None

    number = None

    def look():
        nonlocal number
        number = found()
        return number is not None

    try:
        eventually(look, seconds, 0.1)
    except AssertionError:
        raise AssertionError(f"{pattern} did not appear; the screen is:\n{console.text}") from None
    return number


def test_delivery_is_held_and_publishing_blocked_and_both_resumed(console):
    select(console, "reminders")
    console.type("H")
    console.wait("reminders: delivery held")
    console.wait("HELD")
    console.type("H")
    console.wait("reminders: delivery resumed")
    console.wait_gone("HELD")
    console.type("B")
    console.wait("reminders: publishing held")
    console.wait("BLOCK")
    console.type("B")
    console.wait("reminders: publishing resumed")
    console.wait_gone("BLOCK")


def test_a_delayed_message_is_cancelled(console):
    # Orders wait thirty seconds to be paid: there are always some in the next minute.
    console.type("5:delay orders.unpaid" + ENTER)
    console.wait("queue: orders.unpaid")
    console.type("jjj" + ENTER)
    console.wait("Delayed in orders.unpaid")
    eventually(lambda: re.search(r">  d\d+-\d+", console.text), 30)
    # The last of the bucket, so that it is not due while the question is read.
    console.type("GX")
    console.wait("Cancel 1 delayed message of orders.unpaid")
    console.type("S")
    console.wait("1 message cancelled")


def test_replay_shows_its_count_first(console):
    select(console, "orders.unpaid")
    # The first orders are settled once their thirty seconds are over.
    def counted():
        console.type("O")
        console.wait("Replay orders.unpaid")
        count = figure(console, r"Dry run ([\d,]+) messages? would be ready again")
        if count == 0:
            console.type("\x1b")
            console.wait_gone("Replay orders.unpaid")
        return count

    eventually(lambda: counted() > 0, 60, 2)
    console.type("S")
    console.wait_gone("Replay orders.unpaid")
    figure(console, r"orders\.unpaid: ([\d,]+) messages? ready again")


def test_dead_letters_are_redriven_after_a_dry_run(console):
    console.type("6")
    console.wait("payments.dlq", UNTIL_PAYMENTS_DIE)
    console.type(ENTER)
    console.wait("REASON (grouped)")
    console.type("R")
    console.wait("Redrive payments.dlq")
    going = figure(console, r"Dry run ([\d,]+) go, ")
    assert going > 0
    console.wait("later arrivals are not included")
    console.type("d")
    console.wait("messages would go" if going > 1 else "message would go")
    console.type("q")
    console.wait_gone("would go")
    console.type("S")
    console.wait_gone("[ Start ]")
    # Progress, and then the outcome with what became of the copies: each is acked or has died again.
    console.type("8")
    console.wait("[8 Jobs]")
    sent = figure(console, r"([\d,]+) sent, [\d,]+ acked, [\d,]+ died again", 60)
    assert sent >= 0
    eventually(lambda: outcome(console)[0] > 0, 60)
    # At 50 a second with a ramp and a canary, and for those that fail again another ten seconds of attempts.
    eventually(lambda: outcome(console)[0] == sum(outcome(console)[1:]) and is_over(console), 180, 0.5)


def is_over(console):
    """The job is done; a running one says `done in 4s`."""
    return re.search(r" done(?! in)", console.text)


def outcome(console):
    match = re.search(r"([\d,]+) sent, ([\d,]+) acked, ([\d,]+) died again", console.text)
    return [int(part.replace(",", "")) for part in match.groups()] if match else [0, -1, 0]


def test_a_purge_wants_the_name_and_u_takes_it_back(console):
    console.type("6")
    # Payments go on dying: the queue has some again, or still.
    console.wait("payments.dlq", UNTIL_PAYMENTS_DIE)
    eventually(lambda: re.search(r"payments\.dlq\s+[1-9]", console.text), 150, 0.5)
    console.type("P")
    console.wait("Purge payments.dlq")
    console.type("payments" + ENTER)
    console.wait("nothing was done")
    console.type(".dlq" + ENTER)
    purged = figure(console, r"payments\.dlq: purged ([\d,]+) messages?")
    assert purged > 0
    console.type("u")
    back = figure(console, r"payments\.dlq: ([\d,]+) messages? back")
    assert back == purged
