"""Commands about what comes in: the mode of a source, proposals, and the quarantine, with no server running."""

from __future__ import annotations

import asyncio
import json

import httpx

from spira.kernel.jobs import InlineRunner
from spira.worker.core import Core


def send(directory, key, *calls):
    """Calls of a client, taken by a core that is closed again."""

    async def post(core):
        transport = httpx.ASGITransport(app=core.intake)
        async with httpx.AsyncClient(transport=transport, base_url="http://spira.local", auth=(key, "")) as client:
            return await client.post("/v1/batch", content=json.dumps({"batch": calls}).encode())

    with Core.open(directory, runner=InlineRunner()) as core:
        answer = asyncio.run(post(core))
        core.load()
    return answer


def order(number, **properties):
    return {"type": "track", "event": "Order Completed", "userId": "u1", "messageId": f"m{number}",
            "timestamp": "2026-03-01T10:00:00Z", "properties": properties}  # fmt: skip


def test_what_was_refused_is_looked_at_put_right_and_replayed(spira, applied):
    """The dry run says what the replay then does, and nothing is left in quarantine."""
    key = spira("source", "add", "web", "--dir", applied, "--json").json["write_key"]
    send(applied, key, order(1, revenue="12.50"), order(2, revenue="much"))
    listed = spira("quarantine", "list", "--dir", applied)
    assert "2 calls in quarantine, 0 replayed" in listed.out
    first = spira("quarantine", "list", "--dir", applied, "--json").json["calls"][0]["id"]
    assert "is not an amount of money" in spira("quarantine", "show", first, "--dir", applied).out
    chosen = ("--reason", "wrong_type", "--read", "revenue=money", "--dir", applied)
    assert "1 would load, 1 would still be refused" in spira("quarantine", "replay", "--dry-run", *chosen).out
    assert spira("quarantine", "replay", *chosen).out == "2 calls are on the log again; they load with the next turn\n"
    spira("refresh", "--dir", applied)
    assert "1 calls in quarantine, 1 replayed" in spira("quarantine", "list", "--dir", applied).out
    assert spira("quarantine", "replay", "--read", "revenue=much", "--dir", applied).code == 1


def test_what_is_undeclared_is_proposed_as_a_file(spira, applied):
    """What is printed can be saved under `tracking/` and planned."""
    key = spira("source", "add", "web", "--dir", applied, "--json").json["write_key"]
    send(applied, key, order(1, shelf="tea"))
    text = spira("tracking", "propose", "--days", "90", "--dir", applied).out
    assert "shelf: text  # seen 1 times, always text" in text
    (applied / "tracking").mkdir(exist_ok=True)
    (applied / "tracking" / "proposed.yaml").write_text(text, encoding="utf-8")
    assert "+ tracking proposed" in spira("plan", "--dir", applied).out


def test_a_source_is_set_and_its_health_told(spira, applied):
    """The mode stands in the list; without anything to set the command says what it needs."""
    spira("source", "add", "web", "--dir", applied)
    said = spira("source", "set", "web", "--mode", "block", "--silent-minutes", "30", "--dir", applied)
    assert "mode           block" in said.out
    assert "30 minutes" in said.out
    assert spira("source", "set", "web", "--mode", "plan", "--dir", applied, "--json").json["silent_minutes"] == 30
    assert spira("source", "set", "web", "--dir", applied).code == 2
    assert "per_minute" in spira("source", "health", "web", "--dir", applied).out


def test_alerts_are_listed_and_their_telling_is_tested(spira, applied):
    """Without a way the test says where one is set; with one that can't be used it says why, and fails."""
    assert "told by the System page alone" in spira("alert", "list", "--dir", applied).out
    assert spira("alert", "test", "--dir", applied).code == 1
    with (applied / "spira.toml").open("a") as file:
        file.write('\n[alerts]\nemail = ["ops@shop.example"]\nchannel = "carrier_pigeon"\n')
    tried = spira("alert", "test", "--dir", applied)
    assert (tried.code, "there is no e-mail channel `carrier_pigeon`" in tried.out) == (1, True)
