"""Rooms in which something that should have happened did not."""

from __future__ import annotations

from pathlib import Path

from tests.troubles.stage import Recorded, Stage, Trouble


def deadlock_of_two(folder: Path) -> Recorded:
    """Backend waits for the schema, and frontend for the endpoint, each for the other's."""
    stage = Stage(folder, "backend", "frontend")
    stage.hand_over("backend", "frontend", "I start on /api/orders. Types are in api/types.ts as usual.")
    stage.hand_over("frontend", "backend", "Good, I take the order page in web/orders.tsx meanwhile.")
    first = stage.hand_over(
        "backend",
        "frontend",
        "Which fields does the order table show? I need your OrderRow before I write the query in "
        "orders/repo.py, and wait for it.",
        after=120,
        acknowledge=False,
    )
    second = stage.hand_over(
        "frontend",
        "backend",
        "What does GET /api/orders return? I cannot write OrderRow without a sample of the JSON. "
        "Send it, then I go on.",
        after=15,
        acknowledge=False,
    )
    stage.wait(45 * 60)
    stage.alive("backend", "frontend")
    return stage.end(Trouble.DEADLOCK, ("backend", "frontend"), [first, second])


def deadlock_of_three(folder: Path) -> Recorded:
    """Each of three wants the next one's part first."""
    stage = Stage(folder, "schema", "server", "client", "docs")
    stage.hand_over("docs", "schema", "docs/orders.md is up to date with main. Nothing needed from you.")
    asked = [
        ("schema", "server", "Which queries will you run? I choose the indexes of migrations/0042 by them."),
        ("server", "client", "Which pages load together? Then I know what to batch in orders/loader.py."),
        ("client", "schema", "Can an order have no customer? I wait for migrations/0042 before the page."),
    ]
    messages = [stage.hand_over(sender, to, body, after=40, acknowledge=False) for sender, to, body in asked]
    stage.wait(2 * 3600)
    stage.alive("schema", "server", "client", "docs")
    return stage.end(Trouble.DEADLOCK, ("schema", "server", "client"), messages)


def lost_recipient(folder: Path) -> Recorded:
    """Somebody asks `reveiwer`, and nobody is registered as that."""
    stage = Stage(folder, "builder", "reviewer")
    stage.hand_over("builder", "reviewer", "I work on branch retry-queue, review comes later today.")
    body = "Branch retry-queue is ready: core/queue.py and its tests. Could you review it? I hold the merge."
    lost = stage.say("builder", "reveiwer", body, after=300)
    stage.wait(90 * 60)
    stage.alive("builder", "reviewer")
    return stage.end(Trouble.LOST, ("reveiwer",), [lost])


def dead_host(folder: Path) -> Recorded:
    """The tester's deliverer claimed a message and was killed, and nobody delivers to it since."""
    stage = Stage(folder, "builder", "tester")
    stage.hand_over("builder", "tester", "Pool.close() is fixed on pool-leak, tests/test_pool.py covers it.")
    body = "Could you run the soak test on pool-leak for an hour, and tell me the peak of open sockets?"
    message = stage.say("builder", "tester", body, after=60)
    stage.wait(1)
    stage.store.claim("tester", "opencode-tester")
    stage.wait(20 * 60)
    stage.alive("builder")
    return stage.end(Trouble.DEAD_HOST, ("tester",), [message])


def permission_block(folder: Path) -> Recorded:
    """Deployer waits for seven hours to be allowed a command; what is sent to it waits behind that."""
    stage = Stage(folder, "builder", "deployer", humans=("human",))
    task = "v1.8.2 is tagged and CI is green: deploy it to staging, please."
    stage.hand_over("builder", "deployer", task, acknowledge=False)
    stage.store.set_presence("deployer", "blocked", "permission: bash kubectl apply -f deploy/staging.yaml")
    asked = [
        stage.say("builder", "deployer", "Is v1.8.2 on staging? The smoke tests wait for it.", after=900),
        stage.say("builder", "deployer", "Still no v1.8.2 on staging. Does the rollout hang?", after=3600),
    ]
    stage.wait(6 * 3600)
    stage.alive("builder", "deployer")
    return stage.end(Trouble.BLOCKED, ("deployer",), asked)
