"""Rooms that look as if something were wrong, and in which all is well."""

from __future__ import annotations

from pathlib import Path

from tests.troubles.stage import Recorded, Stage

_FOUND = [
    ("core/http.py:88", "folded headers are dropped", "joined them as RFC 9112 5.2 says"),
    ("core/http.py:120", "a chunk size of 0x7fffffff is trusted", "capped it at max_chunk"),
    ("core/pool.py:31", "close() leaks the idle sockets", "close() empties _idle first"),
    ("core/pool.py:77", "the wait has no deadline", "acquire() takes a timeout, 30 s by default"),
    ("core/retry.py:14", "POST is retried", "only idempotent methods are, see SAFE_METHODS"),
    ("core/retry.py:40", "the back-off has no jitter", "full jitter, seeded in tests"),
    ("core/tls.py:9", "check_hostname is off", "it is on, and the old fixture has a SAN now"),
    ("core/cookies.py:52", "Domain=com is accepted", "uses the public suffix list"),
    ("core/cookies.py:90", "Expires is parsed by locale", "email.utils does it"),
    ("core/url.py:23", "%2F is unquoted before the split", "split first, unquote per segment"),
    ("core/url.py:61", "an IPv6 literal loses its zone", "kept, test_zone_id covers it"),
    ("core/proxy.py:17", "NO_PROXY=* is ignored", "handled in bypass()"),
    ("core/proxy.py:45", "credentials end up in the log", "redacted by Proxy.__repr__"),
    ("core/multipart.py:30", "the boundary may occur in a part", "drawn again until it does not"),
    ("core/multipart.py:66", "file names are not quoted", "quoted as in HTML 5"),
    ("core/stream.py:12", "a short read counts as the end", "loops until Content-Length"),
    ("core/stream.py:58", "gzip bombs", "ratio limit 100, raises DecodeError"),
    ("core/auth.py:20", "digest with qop=auth-int fails", "body hash is taken now"),
    ("core/auth.py:44", "the token is refreshed twice", "one lock around refresh()"),
    ("core/events.py:33", "retry: is read as seconds", "milliseconds, spec quoted in the docstring"),
    ("core/events.py:71", "a BOM in the middle is eaten", "only at the start"),
    ("core/cache.py:18", "Vary is not part of the key", "it is, with names in lower case"),
    ("core/cache.py:49", "304 loses the old headers", "merged, as RFC 9111 3.2 wants"),
    ("core/redirect.py:11", "303 keeps the body", "dropped with Content-Type"),
    ("core/redirect.py:39", "Authorization follows to another host", "stripped on a new origin"),
    ("core/timeout.py:27", "connect and read share one budget", "split in Timeout(connect, read)"),
    ("core/limits.py:8", "header count is unlimited", "100 by default"),
    ("core/trace.py:15", "spans are never closed on error", "try/finally in span()"),
    ("docs/index.md:40", "the example uses the old name", "runs in test_docs.py now"),
    ("pyproject.toml:22", "certifi is missing", "added, and the lock file with it"),
]


def long_review(folder: Path) -> Recorded:
    """Thirty findings in one thread of sixty replies, each of them dealt with."""
    stage = Stage(folder, "author", "reviewer")
    said = stage.hand_over("author", "reviewer", "Branch http-2 is ready. Could you review it file by file?")
    for number, (place, wrong, done) in enumerate(_FOUND, 1):
        finding = f"Finding {number}, {place}: {wrong}. Please fix it, with a test."
        said = stage.hand_over("reviewer", "author", finding, reply_to=said, after=90)
        fixed = f"Thanks, good catch. Fixed finding {number}: {done}."
        said = stage.hand_over("author", "reviewer", fixed, reply_to=said, after=240)
    said = stage.hand_over("reviewer", "author", "That was all. Approved, thanks!", reply_to=said)
    stage.hand_over("author", "reviewer", "Thank you! Merged as 9f31c2e.", reply_to=said)
    return stage.end()


def busy_status(folder: Path) -> Recorded:
    """Eight workers and a watchdog post lines that look alike into a channel all day. Nobody answers."""
    workers = [f"worker-{number}" for number in range(1, 9)]
    stage = Stage(folder, *workers, "watchdog")
    stage.channel("status", *workers, "watchdog")
    for minute in range(30):
        for number, worker in enumerate(workers):
            done = min(40, minute * 3 // 2 + number % 3)
            line = (
                f"{worker}: {done}/40 files migrated, 0 failures"
                if done < 40
                else f"{worker}: idle, queue empty"
            )
            stage.say(worker, "#status", line, after=4)
            stage.read(workers[(number + 1) % 8], acknowledge=True)
        if minute % 5 == 0:
            stage.say("watchdog", "#status", "All workers healthy, no alerts.", after=4)
        stage.wait(20)
        stage.read("watchdog")
    return stage.end()


def worker_pool(folder: Path) -> Recorded:
    """A lead gives out shards to four workers, the next one with each answer, sixty in all."""
    workers = [f"worker-{number}" for number in range(1, 5)]
    stage = Stage(folder, "lead", *workers)
    for shard in range(1, 61):
        worker = workers[shard % 4]
        task = stage.hand_over(
            "lead", worker, f"Please run shard {shard} of 60 and tell me what fails.", after=3
        )
        seconds = 20 + shard * 7 % 13
        passed = f"Shard {shard} passed: {200 + shard * 3} tests in {seconds} s, nothing failed."
        stage.hand_over(worker, "lead", passed, reply_to=task, after=seconds / 4)
    return stage.end()


def human_chat(folder: Path) -> Recorded:
    """A person talks with two agents, who answer briefly, and to each other too."""
    stage = Stage(folder, "ann", "bob", humans=("human",))
    for turn in range(12):
        asked = stage.hand_over("human", "ann", "Next one, please." if turn % 2 else "Good. Go on.", after=60)
        said = stage.hand_over("ann", "human", "Done, thanks.", reply_to=asked, after=30)
        told = stage.hand_over("ann", "bob", "Thanks for waiting, your turn.", after=5)
        stage.hand_over("bob", "ann", "Got it, thanks.", reply_to=told, after=5)
        stage.hand_over("human", "ann", "Thanks!", reply_to=said, after=20)
        stage.hand_over("human", "bob", "You too, bob, thanks.", after=10)
        stage.hand_over("bob", "human", "You're welcome.", after=10)
    return stage.end()
