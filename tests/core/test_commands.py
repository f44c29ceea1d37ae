"""The language, as a line of a chat. `test_cli.py` speaks it in a shell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from msgcode import Store
from msgcode.calls import Answer
from msgcode.commands import COMMANDS, run_line
from msgcode.model import Session
from tests.core.support import mode
from tests.core.test_text import obeyed


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("alice")
        store.register("bob")
        yield store


def say(store: Store, line: str, actor: str | None = "alice") -> Answer:
    answer = run_line(store, line, actor)
    assert answer.ok, answer.text
    return answer


def refused(store: Store, line: str, actor: str | None = "alice") -> str:
    before = list(store.history())
    answer = run_line(store, line, actor)
    assert not answer.ok
    assert "\n" not in answer.text
    assert list(store.history()) == before
    return answer.text


def inbox(store: Store, agent: str) -> list[str]:
    return [message.body for message in store.inbox(agent)]


@pytest.mark.parametrize("line", ["/msg", "/msg  ", "/msg --help", "/msg -h"])
def test_msg_alone_prints_the_usage(store: Store, line: str) -> None:
    text = say(store, line).text
    assert "usage: /msg" in text
    assert all(name.split()[0] in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(store: Store, name: str) -> None:
    assert f"usage: /msg {name}" in say(store, f"/msg {name} --help").text


@pytest.mark.parametrize(
    "body",
    [
        "hello",
        "it's fine; rm -rf / && echo $HOME `id`",
        "two  spaces\tand a tab",
        'a "quoted" word',
        "lines\n  of code\n",
        "--not an option",
        "- dash",
        "/msg inside",
        "x --priority high",
    ],
)
def test_a_body_is_taken_as_it_stands(store: Store, body: str) -> None:
    separator = " -- " if body.startswith("--") else " "
    say(store, f"/msg send bob{separator}{body}")
    assert inbox(store, "bob") == [body.strip()]


def test_options_come_before_the_body(store: Store) -> None:
    say(store, '/msg send --subject "two words" --priority=high @bob --ttl 5 --meta file=a.py:3 the body')
    (message,) = store.inbox("bob")
    assert (message.subject, message.priority, message.body) == ("two words", "high", "the body")
    assert message.metadata == {"file": "a.py:3"}
    assert message.expires_at is not None
    assert (message.expires_at - message.sent_at).total_seconds() == 300


def test_marks_before_ids_are_understood(store: Store) -> None:
    say(store, "/msg channel create #dev Dev room")
    say(store, "/msg channel join #dev", "bob")
    assert "1 member of #dev" in say(store, "/msg broadcast #dev hi").text
    assert inbox(store, "bob") == ["hi"]
    assert "#dev Dev room: alice, bob" in say(store, "/msg channel list").text
    say(store, "/msg channel leave dev", "bob")
    assert store.channels()[0].members == ("alice",)


def test_the_seeds_forms_work(store: Store) -> None:
    assert say(store, "/msg register carol Carol the Careful").text == "Registered carol (Carol the Careful)."
    assert "carol" in say(store, "/msg agents").text
    assert "Agents: 3" in say(store, "/msg status").text
    assert say(store, "/msg unregister carol").text == "Unregistered carol."
    assert say(store, "/msg check").text == "Nothing waits for alice."


def test_a_warning_follows_what_was_sent_to_nobody(store: Store) -> None:
    text = say(store, "/msg send bobb hi").text
    assert "Warning: nobody is registered as 'bobb' (did you mean 'bob'?)" in text
    assert inbox(store, "bobb") == ["hi"]


def test_acknowledging_by_the_short_id_that_was_shown(store: Store) -> None:
    shown = say(store, "/msg send bob hi").text.split()[-1]
    assert shown in say(store, "/msg check", "bob").text
    assert say(store, f"/msg ack {shown}", "bob").text == f"Acknowledged {shown}."
    assert say(store, f"/msg ack {shown}", "bob").text == f"Acknowledged {shown}."
    assert inbox(store, "bob") == []


def test_looking_into_anothers_inbox_marks_nothing(store: Store) -> None:
    say(store, "/msg send bob hi")
    assert "nothing was marked" in say(store, "/msg check bob", "alice").text
    assert store.inbox("bob")[0].deliveries["bob"].status == "queued"
    assert "hi" in say(store, "/msg check bob", None).text
    assert store.inbox("bob")[0].deliveries["bob"].status == "delivered"


def test_a_reply_by_short_id_carries_on_the_thread(store: Store) -> None:
    first = store.send("alice", "bob", "question")
    say(store, f"/msg send --reply-to {first.id[:8]} alice answer", "bob")
    (reply,) = store.inbox("alice")
    assert (reply.reply_to, reply.thread, reply.hops) == (first.id, first.id, 1)


def test_the_log_tells_the_life_of_a_message(store: Store) -> None:
    message = store.send("alice", "bob", "hi")
    store.send("alice", "bob", "another")
    store.check("bob", limit=1)
    store.acknowledge("bob", message.id)
    lines = say(store, f"/msg log --message {message.id[:6]}").text.splitlines()
    assert [word in line for word, line in zip(("hi", "delivered", "acknowledged"), lines, strict=True)]
    assert len(say(store, "/msg log --limit 2").text.splitlines()) == 2
    assert "another" in say(store, "/msg log --agent bob").text


def test_show_tells_all_of_a_message(store: Store) -> None:
    message = store.send("alice", "bob", "all\nof it", subject="S")
    store.claim("bob", "opencode ses_1")
    store.fail("bob", message.id, "opencode ses_1", "it was busy")
    text = say(store, f"/msg show {message.id[:8]}").text
    assert "all\n    of it" in text
    assert "bob: queued, " in text
    assert text.endswith("; failed: it was busy")
    assert "there is no message 'nope'" in refused(store, "/msg show nope")


class TestChangingWhatWasSent:
    @pytest.fixture
    def id(self, store: Store) -> str:
        return store.send("alice", "bob", "teh text", subject="S").id[:8]

    def test_edit(self, store: Store, id: str) -> None:
        assert say(store, f'/msg edit {id} it\'s the "text"').text == f"Edited {id}."
        assert inbox(store, "bob") == ['it\'s the "text"']
        say(store, f'/msg edit --subject "" {id} the text')
        assert store.inbox("bob")[0].subject is None
        shown = say(store, f"/msg show {id}").text
        assert "edited by alice" in shown
        assert "S\n    teh text" in shown
        assert "edited by alice: the text" in say(store, "/msg log --limit 1").text
        store.check("bob")
        assert "'bob' has had it" in refused(store, f"/msg edit {id} too late")

    def test_priority(self, store: Store, id: str) -> None:
        assert say(store, f"/msg priority {id} urgent").text == f"Made {id} urgent."
        assert store.inbox("bob")[0].priority == "urgent"
        assert "made urgent by alice" in say(store, "/msg log --limit 1").text
        assert "invalid choice: 'asap'" in refused(store, f"/msg priority {id} asap")

    def test_discard_and_expire(self, store: Store, id: str) -> None:
        assert say(store, f"/msg discard --agent @bob {id}").text == f"Discarded {id} for bob."
        assert "cannot be discarded: it has ended" in refused(store, f"/msg discard {id}")
        other = store.send("alice", "bob", "x").id[:8]
        assert say(store, f"/msg expire {other}").text == f"Expired {other}."
        assert inbox(store, "bob") == []

    def test_forward_and_resend(self, store: Store, id: str) -> None:
        store.register("carol")
        assert say(store, f"/msg forward {id} @carol look, it's new").text.startswith("Forwarded to carol: ")
        assert inbox(store, "carol") == ["look, it's new\n\nFrom alice, forwarded:\n\nteh text"]
        say(store, f"/msg forward {id} carol")
        assert inbox(store, "carol")[1] == "From alice, forwarded:\n\nteh text"
        assert say(store, f"/msg resend {id}").text.startswith("Sent again to bob: ")
        assert inbox(store, "bob") == ["teh text", "teh text"]
        assert "'bob' is not a human" in refused(store, f"/msg resend {id}", "bob")


class TestQuestions:
    def test_one_is_listed_and_answered(self, store: Store) -> None:
        store.register("human", human=True)
        meta = '--meta "choices=yes | not now" --meta deadline=30 --meta default=yes'
        asked = say(store, f"/msg send {meta} human Merge?").text.split()[-1]
        listed = say(store, "/msg questions", "human").text
        assert listed.startswith(asked)
        assert "1 yes   2 not now" in listed
        assert "by " in listed
        assert ", then yes" in listed
        data = say(store, "/msg questions @human").data
        assert [(question["choices"], question["default"]) for question in data] == [
            (("yes", "not now"), "yes")
        ]
        assert "not one of the choices" in refused(store, f"/msg answer {asked} never", "human")
        assert "Answered alice with 'not now': " in say(store, f"/msg answer {asked} not now", "human").text
        assert inbox(store, "alice") == ["not now"]
        assert "has been answered" in refused(store, f"/msg answer {asked} 1", "human")
        assert say(store, "/msg questions", "human").text == "Nobody waits for an answer of human."

    def test_a_person_answers_in_an_agents_session(self, store: Store) -> None:
        asked = store.send("alice", "human", "Merge?", metadata={"choices": "yes|no"})
        here = Session("ses_1", "opencode", "host-1", "/src")
        assert run_line(store, f"/msg answer {asked.id} yes", "bob", here).ok
        (answer,) = store.inbox("alice")
        assert (answer.sender, answer.human) == ("human", True)

    def test_a_flawed_one_is_warned_about(self, store: Store) -> None:
        text = say(store, "/msg send --meta choices=yes bob Merge?").text
        assert "Warning: this is sent as an ordinary message, not as a question" in text


class TestSearching:
    def test_it_finds_what_has_ended_too(self, store: Store) -> None:
        done = store.send("alice", "bob", "the first build", subject="CI")
        store.acknowledge("bob", done.id)
        store.send("alice", "bob", "the second build\x1b[2J")
        lines = say(store, '/msg search build -third from:alice "the "').text.splitlines()
        assert [word in line for word, line in zip(("CI: the first", "second"), lines, strict=True)]
        assert say(store, "/msg search -second build").data[0]["id"] == done.id
        newest = say(store, "/msg search --limit 1 build").text
        assert "second" in newest
        assert newest.endswith("The newest 1 of 2; --limit N shows more.")
        assert say(store, "/msg search it's").text == "No message matches."
        assert "'lost' is no status" in refused(store, "/msg search status:lost")


class TestExport:
    def test_to_a_file(self, store: Store, tmp_path: Path) -> None:
        store.send("alice", "bob", "to all", channel="api")
        first = store.send("alice", "bob", "in a thread")
        reply = store.send("bob", "alice", "indeed", reply_to=first.id)
        store.acknowledge("alice", reply.id)
        page = tmp_path / "room.html"
        assert say(store, f"/msg export --output {page}").text == f"Wrote 3 messages to {page}."
        assert page.read_text().startswith("<!DOCTYPE html>")
        assert mode(page) == 0o600
        assert "exists already: choose another name, or add --force" in refused(
            store, f"/msg export --output {page}"
        )
        say(store, f"/msg export --force --format md --thread {reply.id} --output {page}")
        assert "to all" not in page.read_text()
        assert page.read_text().startswith(f"# thread {first.id[:8]}\n")
        assert "indeed" in page.read_text()

    def test_to_the_answer(self, store: Store) -> None:
        store.send("alice", "bob", "to all", channel="api")
        store.send("bob", "alice", "to one")
        assert say(store, "/msg export --channel #api --agent @alice").text.startswith("# \\#api, \\@alice\n")
        assert say(store, "/msg export --channel api --format jsonl").data["messages"] == 1

    @pytest.mark.parametrize("path", ["nowhere/x", ".", '"a\0b"'])
    def test_what_cannot_be_written(self, store: Store, tmp_path: Path, path: str) -> None:
        answer = run_line(store, f"/msg export --force --output {tmp_path}/{path}", "alice")
        assert not answer.ok


class TestInASession:
    """Lines that a person types into an agent's session."""

    HERE = Session("ses_1", "opencode", "host-1", "/src")

    def say(self, store: Store, line: str, actor: str | None = "alice") -> str:
        answer = run_line(store, line, actor, self.HERE)
        assert answer.ok, answer.text
        return answer.text

    def test_registering_binds_the_agent(self, store: Store) -> None:
        assert self.say(store, "/msg register carol", None) == "Registered carol."
        elsewhere = self.HERE._replace(id="ses_2")
        again = run_line(store, "/msg register carol", None, elsewhere)
        assert "with takeover, and that session loses it" in again.text
        assert run_line(store, "/msg register --takeover carol", None, elsewhere).ok
        assert [agent.session for agent in store.agents() if agent.id == "carol"] == [elsewhere]

    def test_what_is_sent_is_marked_as_a_humans(self, store: Store) -> None:
        self.say(store, "/msg send bob hi")
        self.say(store, "/msg send --as human bob hi too")
        sent = [(message.sender, message.by, message.human) for message in store.inbox("bob")]
        assert sent == [("alice", "human", True), ("human", None, True)]

    def test_looking_reads_nothing_for_the_agent(self, store: Store) -> None:
        store.send("bob", "alice", "for the agent")
        assert "You only looked" in self.say(store, "/msg check")
        assert store.undelivered("alice")

    def test_a_human_acknowledges_for_the_agent(self, store: Store) -> None:
        message = store.send("bob", "alice", "hi")
        self.say(store, f"/msg ack {message.id}")
        assert store.message(message.id).deliveries["alice"].by == "human"

    def test_nobody_in_particular(self, store: Store) -> None:
        answer = run_line(store, "/msg send bob hi", None, self.HERE)
        assert answer.text == "say who you are: add --as ID, or /msg register ID."


def test_purging_what_waits(store: Store) -> None:
    say(store, "/msg send bob hi")
    assert "discarded 1 that waited" in say(store, "/msg purge --waiting").text
    assert inbox(store, "bob") == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/msg sned bob hi", "'sned' is no command (did you mean 'send'?)"),
        ("/msg channel", "'channel' needs one more word: use one of channel create"),
        ("/msg watch", "'watch' is no command"),
        ("/msg send bob", "required: BODY"),
        ("/msg send", "required: TO, BODY"),
        ("/msg send --priority hgih bob hi", "invalid choice: 'hgih' (choose from 'urgent', 'high'"),
        ("/msg send --ttl soon bob hi", "'soon' is not a number of minutes above 0"),
        ("/msg send --ttl nan bob hi", "'nan' is not a number of minutes above 0"),
        ("/msg send --meta file bob hi", "'file' is not of the form KEY=VALUE"),
        ("/msg send --reply-to nope bob hi", "there is no message 'nope'"),
        ("/msg send b/b hi", "'b/b' cannot be an agent id"),
        ("/msg broadcast dev hi", "there is no channel 'dev'"),
        ("/msg check --limit 0", "'0' is not a number above 0"),
        ("/msg ack abcd", "there is no message 'abcd'"),
        ("/msg ack abc", "give at least its first 4 characters"),
        ("/msg unregister carol", "agent 'carol' is not registered"),
        ("/msg --bogus", "required: COMMAND"),
    ],
)
def test_bad_input_gets_one_sentence_and_changes_nothing(store: Store, line: str, sentence: str) -> None:
    assert sentence in refused(store, line)


def test_somebody_has_to_speak(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "say who you are" in refused(store, "/msg send bob hi", None)
    monkeypatch.setenv("MSGCODE_AGENT", "bob")
    say(store, "/msg send alice hi", None)
    assert inbox(store, "alice") == ["hi"]


def test_what_is_not_understood_is_said_in_one_short_line(store: Store) -> None:
    for odd in ("a\nb\x1b[2J", "x" * 5000):
        text = refused(store, f'/msg agents "{odd}"')
        assert len(text.splitlines()) == 1
        assert len(text) < 500
        assert not obeyed(text)


@given(st.text(st.characters()))
@example("/msg send bob \x1b]52;c;aGk=\x07")
@example('/msg send --subject "')
@example("/msg log --message '\"'")
def test_any_line_gets_a_safe_answer(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with Store.open(tmp_path_factory.mktemp("room"), sync=False) as store:
        store.register("alice")
        for line in (f"/msg {text}", f"/msg send alice {text}", f"/msg register al {text}", "/msg check"):
            answer = run_line(store, line, "alice")
            assert not obeyed(answer.text), (line, answer.text)
