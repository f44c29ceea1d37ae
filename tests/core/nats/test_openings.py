"""Coming to a room on NATS by every kind of credentials, or being told in a sentence why not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import nkeys  # type: ignore[import-untyped]
import pytest

from msgcode import MsgcodeError, Store, Unavailable, cli
from msgcode.model import now
from msgcode.nats import layout
from msgcode.nats.address import parse
from msgcode.nats.link import Link
from tests.core.nats.server import NatsServer, free_port


@contextmanager
def served(folder: Path, config: str = "", *, make: str | None = None) -> Iterator[NatsServer]:
    """A server with this configuration. make: where the room dev is made, if it is."""
    server = NatsServer(folder / "server", config)
    try:
        if make:
            link = Link(parse(make.format(port=server.port)))
            layout.make(link)
            link.close()
        yield server
    finally:
        server.stop()


def said(target: str, code: int) -> str:
    """What is said instead of opening it, at once."""
    started = time.monotonic()
    with pytest.raises(MsgcodeError) as caught:
        Store.open(target)
    assert caught.value.exit_code == code
    assert time.monotonic() - started < 8
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


def works(target: str) -> None:
    with Store.open(target) as store:
        store.register("ann")
        assert [agent.id for agent in store.agents()] == ["ann"]
        store.unregister("ann")


def test_no_server() -> None:
    assert "no NATS server answers at nats://127.0.0.1:" in said(f"nats://127.0.0.1:{free_port()}/dev", 1)


def test_without_a_server_there_is_the_copy_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with served(tmp_path) as server:
        server.make_room("dev")
        target = f"{server.url}/dev"
        monkeypatch.setenv("MSGCODE_STORE", target)
        before = now()
        assert cli.main(["register", "ann"]) == 0
        after = now()
        server.stop()
        capsys.readouterr()
        assert cli.main(["agents"]) == 0
        shown = capsys.readouterr()
        assert "ann" in shown.out
        assert shown.err.count("\n") == 1
        assert "NATS cannot be reached since " in shown.err
        for words in (["register", "bob"], ["send", "ann", "hello", "--as", "ann"], ["store", "info"]):
            assert cli.main(words) == 1
            shown = capsys.readouterr()
            assert shown.out == ""
            assert re.fullmatch(r"msgcode: .*NATS.* (cannot be reached|answers at)\b.*\.\n", shown.err), (
                shown.err
            )
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
        assert "no NATS server answers at " in said(target, 1)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        with Store.open(target) as store:
            assert [agent.id for agent in store.agents()] == ["ann"]
            assert store.behind_since
            assert before - timedelta(seconds=1) <= store.behind_since <= after + timedelta(seconds=1)
            with pytest.raises(Unavailable, match=r"cannot be reached\. Nothing was changed"):
                store.register("bob")
            server.start()
            deadline = time.monotonic() + 40
            while not store.agents() or store.behind_since:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            store.register("bob")
            store.set_presence("bob", "busy")
            assert store.presence("bob").activity == "busy"
            assert [agent.id for agent in store.agents()] == ["ann", "bob"]


def test_no_such_room(nats_server: NatsServer) -> None:
    assert "there is no room 'nowhere'" in said(f"{nats_server.url}/nowhere", 1)


def test_a_server_without_jetstream(tmp_path: Path) -> None:
    with served(tmp_path, "accounts { A { users: [ { user: a, password: b } ] } }") as server:
        text = said(f"nats://a:b@127.0.0.1:{server.port}/dev", 1)
        assert "JetStream not enabled for account" in text or "has no JetStream" in text


def test_a_stream_of_that_name_with_another_layout(nats_server: NatsServer) -> None:
    link = Link(parse(f"{nats_server.url}/another"))
    layout.ask(
        link, "STREAM.CREATE.msgcode-another", {"name": "msgcode-another", "subjects": ["another.thing"]}
    )
    try:
        assert "it is no room of this msgcode: its subjects is" in said(f"{nats_server.url}/another", 1)
    finally:
        layout.ask(link, "STREAM.DELETE.msgcode-another")
        link.close()


def test_a_room_without_its_bucket(nats_server: NatsServer) -> None:
    nats_server.make_room("half")
    link = Link(parse(f"{nats_server.url}/half"))
    layout.ask(link, "STREAM.DELETE.KV_msgcode-half-presence")
    assert "has no bucket msgcode-half-presence" in said(f"{nats_server.url}/half", 1)
    layout.make(link)
    link.close()
    works(f"{nats_server.url}/half")


def test_password_token_and_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = "jetstream: enabled, users: [ { user: ann, password: secret } ]"
    with served(
        tmp_path, f"accounts {{ A {{ {account} }} }}", make="nats://ann:secret@127.0.0.1:{port}/dev"
    ) as server:
        bare = f"nats://127.0.0.1:{server.port}/dev"
        for wrong in ("ann:wrong", "nobody:secret"):
            text = said(bare.replace("//", f"//{wrong}@"), 2)
            assert "does not let us in" in text
            assert "secret" not in text
            assert "wrong" not in text
        assert "does not let us in" in said(bare, 2)
        folder = tmp_path / "config" / "nats" / "context"
        folder.mkdir(parents=True)
        (folder / "crew.json").write_text(json.dumps({"user": "ann", "password": "secret", "url": "x"}))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        works(f"{bare}?context=crew")
        assert "there is no NATS context 'none'" in said(f"{bare}?context=none", 2)
        monkeypatch.setenv("NATS_USER", "ann")
        monkeypatch.setenv("NATS_PASSWORD", "secret")
        works(bare)


def test_an_nkey(tmp_path: Path) -> None:
    seed, public = key(nkeys.PREFIX_BYTE_USER)
    file = tmp_path / "user.nk"
    file.write_bytes(seed)
    config = f"accounts {{ A {{ jetstream: enabled, users: [ {{ nkey: {public} }} ] }} }}"
    with served(tmp_path, config, make=f"nats://127.0.0.1:{{port}}/dev?nkey={file}") as server:
        bare = f"nats://127.0.0.1:{server.port}/dev"
        works(f"{bare}?nkey={file}")
        file.write_bytes(key(nkeys.PREFIX_BYTE_USER)[0])
        assert "does not let us in" in said(f"{bare}?nkey={file}", 2)
        file.write_text("this is none")
        assert "credentials" in said(f"{bare}?nkey={file}", 2)
        assert "credentials" in said(f"{bare}?nkey={tmp_path}/missing", 2)


def test_a_file_of_credentials(tmp_path: Path) -> None:
    operator, operator_key = key(nkeys.PREFIX_BYTE_OPERATOR)
    account, account_key = key(nkeys.PREFIX_BYTE_ACCOUNT)
    user, user_key = key(nkeys.PREFIX_BYTE_USER)
    _, system_key = key(nkeys.PREFIX_BYTE_ACCOUNT)
    limits = dict.fromkeys(
        ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage", "disk_storage",
         "streams", "consumer"), -1
    )  # fmt: skip
    claims: dict[str, object] = {"type": "account", "limits": limits}
    config = (
        f"operator: {token(operator, operator_key, operator_key, {'type': 'operator'})}\n"
        f"system_account: {system_key}\nresolver: MEMORY\nresolver_preload: {{\n"
        f"  {account_key}: {token(operator, operator_key, account_key, claims)}\n"
        f"  {system_key}: {token(operator, operator_key, system_key, {'type': 'account'})}\n}}"
    )
    unlimited = {"subs": -1, "data": -1, "payload": -1}
    file = tmp_path / "ann.creds"
    file.write_text(
        "-----BEGIN NATS USER JWT-----\n"
        + token(account, account_key, user_key, {"type": "user", **unlimited})
        + "\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n"
        + user.decode()
        + "\n------END USER NKEY SEED------\n"
    )
    with served(tmp_path, config, make=f"nats://127.0.0.1:{{port}}/dev?creds={file}") as server:
        bare = f"nats://127.0.0.1:{server.port}/dev"
        works(f"{bare}?creds={file}")
        assert "does not let us in" in said(bare, 2)
        assert "credentials" in said(f"{bare}?creds={tmp_path}/missing", 2)


def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    key_file, ca = tmp_path / "key.pem", tmp_path / "ca.pem"
    how = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ("-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", *how.split(), *names, "-keyout", str(key_file), "-out", str(ca)]
    subprocess.run(command, check=True, capture_output=True)
    config = f'tls {{ cert_file: "{ca}", key_file: "{key_file}" }}'
    with served(tmp_path, config, make=f"tls://127.0.0.1:{{port}}/dev?ca={ca}") as server:
        works(f"tls://127.0.0.1:{server.port}/dev?ca={ca}")
        works(f"nats://127.0.0.1:{server.port}/dev?ca={ca}")
        assert "certificate verify failed" in said(f"tls://127.0.0.1:{server.port}/dev", 2)
        assert "credentials" in said(f"tls://127.0.0.1:{server.port}/dev?ca={tmp_path}/missing", 2)


def key(prefix: int) -> tuple[bytes, str]:
    """A new key: its seed, and its public part."""
    seed = nkeys.encode_seed(os.urandom(32), prefix)
    return bytes(seed), nkeys.from_seed(bytes(seed)).public_key.decode()


def token(seed: bytes, issuer: str, subject: str, claims: dict[str, object]) -> str:
    """A JWT as NATS has them."""
    body: dict[str, object] = {"iat": int(time.time()), "iss": issuer, "sub": subject, "name": "test"}
    body["nats"] = {**claims, "version": 2}
    body["jti"] = base64.b32encode(hashlib.sha256(json.dumps(body).encode()).digest()).decode().rstrip("=")
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    parts = [_text(json.dumps(part).encode()) for part in (head, body)]
    signed = nkeys.from_seed(seed).sign(".".join(parts).encode())
    return ".".join([*parts, _text(signed)])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
