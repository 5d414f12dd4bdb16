"""Alerts: told once, told again, told when over; and a sink that hangs, refuses or breaks holds up nothing."""

import asyncio
import json

import pytest
from aiohttp import web

from plimsoll.keeper.alert_book import MAX_KEPT, MAX_NAMED, OTHERS, AlertBook, AlertKind
from plimsoll.keeper.alerts import Alerts, open_sinks
from plimsoll.keeper.config import KeeperConfig
from plimsoll.keeper.config.sections import AlertsSection
from plimsoll.keeper.metrics import Metrics
from plimsoll.keeper.redaction import Redactor
from plimsoll.keeper.sinks import Webhook, Wording

FEED, CALL = AlertKind.FEED, AlertKind.MARGIN_CALL
TOKEN = "123456:AAEhBP0av28FrogTokenOfABot"  # noqa: S105 (of no bot)


def told(book, now_sec):
    return [(m.kind, m.status, m.subjects, m.count) for m in book.due(now_sec)]


def test_book__alert_that_stays_on__is_told_at_most_once_per_repeat():
    book = AlertBook(600)
    for now_sec in range(0, 1_200, 10):
        book.fire(FEED, "deribit", "no answer")
        messages = told(book, now_sec)
        assert messages == ([(FEED, "firing", ("deribit",), 1)] if now_sec in (0, 600) else [])


def test_book__resolved__is_told_once_and_only_after_it_was_told():
    book = AlertBook(600)
    book.fire(FEED, "deribit", "no answer")
    book.resolve(FEED, "deribit")
    assert told(book, 0) == []
    book.fire(FEED, "deribit", "no answer")
    told(book, 1)
    book.resolve(FEED, "deribit")
    book.resolve(FEED, "okx")
    assert told(book, 2) == [(FEED, "resolved", ("deribit",), 1)]
    assert told(book, 3) == []


def test_book__flapping__is_told_again_only_after_the_repeat_and_is_not_forgotten():
    book = AlertBook(600)
    messages = []
    for now_sec in range(0, 1_300, 10):
        if now_sec % 20 == 0:
            book.fire(FEED, "deribit", "no answer")
        else:
            book.resolve(FEED, "deribit")
        messages += [(now_sec, status) for _, status, _, _ in told(book, now_sec)]
    firing = [now_sec for now_sec, status in messages if status == "firing"]
    assert firing == [0, 600, 1_200]
    assert [status for _, status in messages] == ["firing", "resolved"] * 3


def test_book__event__is_told_once_without_an_end_and_again_when_it_happens_again():
    book = AlertBook(600)
    book.fire(AlertKind.STANDBY_TAKEOVER, "one", "took over", is_event=True)
    assert told(book, 0) == [(AlertKind.STANDBY_TAKEOVER, "firing", ("one",), 1)]
    assert told(book, 700) == []
    book.fire(AlertKind.STANDBY_TAKEOVER, "one", "took over", is_event=True)
    assert len(told(book, 701)) == 1


def test_book__crash_with_thousands_of_accounts__is_one_message_that_counts_them():
    book = AlertBook(600)
    for account in range(3_000):
        book.fire(CALL, str(account), "below initial margin")
    ((_, _, subjects, count),) = told(book, 0)
    assert (len(subjects), count) == (MAX_NAMED, 3_000)


def test_book__more_than_are_kept__says_so_and_forgets_it_afterwards():
    book = AlertBook(600)
    for account in range(MAX_KEPT + 500):
        book.fire(CALL, str(account), "below initial margin")
    assert len(book.subjects(CALL)) == MAX_KEPT + 1
    told(book, 0)
    for account in range(MAX_KEPT):
        book.resolve(CALL, str(account))
    told(book, 1)
    told(book, 700)
    told(book, 701)
    assert OTHERS not in book.subjects(CALL)


class Receiver:
    """A web server that takes, refuses or never answers."""

    def __init__(self, behave="take"):
        self.bodies, self.behave, self.asked = [], behave, 0

    async def handle(self, request):
        self.asked += 1
        if self.behave == "hang":
            await asyncio.sleep(60)
        if self.behave == "refuse" or (self.behave == "once" and self.asked == 1):
            return web.Response(status=500)
        self.bodies.append((request.path, await request.json()))
        return web.Response(text="ok")

    async def __aenter__(self):
        application = web.Application()
        application.router.add_post("/{tail:.*}", self.handle)
        self.runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()


def alerts_for(sinks, **options):
    section = AlertsSection(group_sec=0.05, **options)
    return Alerts(section, sinks, Metrics("0", "test"), retry_sec=(0.05,))


def wording():
    return Wording("keeper-a", "https://docs.example.org/runbook", Redactor([TOKEN]))


async def until(condition, longest_sec=20.0):
    for _ in range(int(longest_sec / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("never happened")


def run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 60))


def value(alerts, name, sink):
    return alerts._metrics.registry.get_sample_value(f"plimsoll_{name}_total", {"sink": sink}) or 0


def test_webhook__alert_and_its_end__arrive_as_json_with_the_runbook():
    async def scenario():
        async with Receiver() as receiver:
            alerts = alerts_for([Webhook(receiver.url, wording())])
            task = asyncio.create_task(alerts.run())
            alerts.fire(AlertKind.ROUND_AGE, "ETH", f"1,900 s, limit 1,800 s ({TOKEN})")
            await until(lambda: len(receiver.bodies) == 1)
            alerts.resolve(AlertKind.ROUND_AGE, "ETH")
            await until(lambda: len(receiver.bodies) == 2)
            task.cancel()
            return receiver.bodies

    (_, first), (_, second) = run(scenario())
    assert first["runbook"] == "https://docs.example.org/runbook#round-age"
    assert (first["status"], first["urgent"], first["subjects"]) == ("firing", True, ["ETH"])
    assert "1,900 s" in first["text"]
    assert second["status"] == "resolved"
    assert TOKEN not in json.dumps([first, second])


def test_telegram__alert__goes_to_the_chat_of_the_bot_as_plain_text(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")

    async def scenario():
        async with Receiver() as receiver:
            config = KeeperConfig.model_validate(
                {
                    "keeper": {"deployment": "d.json"},
                    "chain": {"endpoints": ["http://127.0.0.1:1"]},
                    "alerts": {"telegrams": [{"chat": "-100", "token_file": "token", "api": receiver.url}]},
                },
                context={"folder": tmp_path},
            )
            alerts = alerts_for(open_sinks(config, Redactor()))
            task = asyncio.create_task(alerts.run())
            alerts.fire(FEED, "deribit", "HTTP *520* _down_")
            await until(lambda: receiver.bodies)
            task.cancel()
            return receiver.bodies

    ((path, body),) = run(scenario())
    assert path == f"/bot{TOKEN}/sendMessage"
    assert body["chat_id"] == "-100"
    assert "HTTP *520* _down_" in body["text"]
    assert "parse_mode" not in body


def test_sinks__one_hangs_one_refuses_one_breaks__the_last_gets_everything_at_once():
    class Broken:
        name = "broken"

        async def send(self, session, message):
            raise RuntimeError("a defect of the sink")

    async def scenario():
        async with Receiver("hang") as hanging, Receiver("refuse") as refusing, Receiver() as fine:
            webhooks = [Webhook(r.url, wording(), n) for n, r in enumerate((hanging, refusing, fine))]
            alerts = alerts_for([Broken(), *webhooks], queue=3)
            task = asyncio.create_task(alerts.run())
            for number in range(8):
                alerts.fire(FEED, f"source-{number}", "no answer")
                await until(lambda n=number: len(fine.bodies) == n + 1)
            await until(lambda: value(alerts, "alerts_lost", "webhook-1") >= 8)
            assert not task.done()
            task.cancel()
            # One under way, three kept, the oldest given up.
            assert value(alerts, "alerts_lost", "webhook-0") == 8 - 1 - 3
            assert [len(post._waiting) for post in alerts._posts] == [0, 3, 0, 0]
            assert value(alerts, "alerts_lost", "broken") == 8
            assert value(alerts, "alerts_sent", "webhook-2") == 8

    run(scenario())


def test_sink__that_fails_once__gets_the_message_the_second_time():
    async def scenario():
        async with Receiver("once") as receiver:
            alerts = alerts_for([Webhook(receiver.url, wording())])
            task = asyncio.create_task(alerts.run())
            alerts.fire(FEED, "deribit", "no answer")
            await until(lambda: receiver.bodies)
            task.cancel()
            assert value(alerts, "alerts_lost", "webhook-0") == 0

    run(scenario())


def test_set_all__what_is_not_named__is_resolved():
    alerts = alerts_for([])
    alerts.set_all(CALL, {"7": "called", "8": "called"})
    alerts.set_all(CALL, {"8": "called"})
    assert alerts._book.subjects(CALL) == {"8"}


@pytest.mark.parametrize("reason", ["refused", "status"])
def test_sink__address_that_is_a_secret__is_in_no_message(reason):
    async def scenario():
        async with Receiver("refuse") as receiver:
            base = receiver.url if reason == "status" else "http://127.0.0.1:1"
            sink = Webhook(f"{base}/services/T000000000/xoxbSecretPath0123456789", wording())
            import aiohttp

            from plimsoll.keeper.alert_book import Message
            from plimsoll.keeper.sinks import SinkError

            async with aiohttp.ClientSession() as session:
                with pytest.raises(SinkError) as caught:
                    await sink.send(session, Message(FEED, "firing", ("a",), 1, ("b",)))
            return str(caught.value)

    assert "Secret" not in run(scenario())
