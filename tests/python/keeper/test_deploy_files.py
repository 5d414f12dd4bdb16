"""Files of deploy/: what they name is there, nothing secret or public in them, and every query asks for a metric."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from plimsoll.cli import run as plimsoll
from plimsoll.keeper.alert_book import AlertKind
from plimsoll.keeper.config import load_config
from plimsoll.keeper.metrics import Metrics

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
UNIT = (DEPLOY / "plimsoll-keeper.service").read_text(encoding="utf-8")
RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "plimsoll.json").read_text(encoding="utf-8"))
NAMES = set(Metrics("0", "test").names())
METRIC = re.compile(r"\bplimsoll_\w+")


def queries():
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for rule in RULES["groups"][0]["rules"]:
        yield rule["alert"], rule["expr"]


@pytest.mark.parametrize(("title", "query"), list(queries()))
def test_queries__every_metric__exists(title, query):
    asked = set(METRIC.findall(query))
    assert asked or title == "stalled"
    assert asked <= NAMES, title


def test_dashboard__every_metric__is_shown_somewhere():
    shown = {name for _, query in queries() for name in METRIC.findall(query)}
    bare = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in shown}
    left = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in NAMES} - bare
    assert left <= {"plimsoll_head_number", "plimsoll_index_number", "plimsoll_verified_accounts", "plimsoll_accounts"}


def test_dashboard__panels__have_numbers_and_places_of_their_own():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in DASHBOARD["panels"])


def test_rules__every_kind_of_alert__has_one():
    kinds = {rule["labels"].get("runbook", rule["alert"]) for rule in RULES["groups"][0]["rules"]}
    assert kinds == {kind.value for kind in AlertKind}


def test_compose__what_services_name__is_declared():
    for name, service in SERVICES.items():
        for other in service.get("depends_on", {}):
            assert other in SERVICES, (name, other)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
            assert there, (name, source)
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    for secret in COMPOSE["secrets"].values():
        assert Path(secret["file"]).parent == Path("secrets")
    assert (ROOT / "deploy" / "secrets" / ".gitignore").read_text() == "*\n!.gitignore\n"


def test_compose__foreign_images__are_pinned_and_ports_are_of_this_machine_alone():
    for name, service in SERVICES.items():
        assert service["image"] == "plimsoll" or re.search(r":v?\d+[\w.-]*$", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_compose__our_own_services__run_without_rights():
    for name, service in SERVICES.items():
        if service["image"] == "plimsoll":
            assert service["cap_drop"] == ["ALL"], name
            assert service["read_only"], name
            assert (ROOT / "deploy" / service["build"]["context"] / service["build"]["dockerfile"]).exists()


def test_compose__keeper_and_standby__differ_in_name_and_port_alone():
    keeper, standby = SERVICES["keeper"], SERVICES["standby"]
    differing = {key for key in keeper if keeper[key] != standby[key]}
    assert differing == {"command", "ports"}
    assert keeper["command"][:-1] == standby["command"][:-1]
    assert keeper["command"][-1] != standby["command"][-1]


def test_compose__grace_of_a_stop__is_longer_than_the_keepers_own():
    config = load_config(DEPLOY / "keeper.toml").config
    for name in ("keeper", "standby"):
        assert int(SERVICES[name]["stop_grace_period"].rstrip("s")) > config.keeper.stop_sec
    assert int(re.search(r"TimeoutStopSec=(\d+)", UNIT)[1]) > config.keeper.stop_sec


def test_keeper_file__of_compose__passes_the_command(capsys):
    assert plimsoll(["keeper", "config", "--config", str(DEPLOY / "keeper.toml")]) == 0
    assert "all as they should be" in capsys.readouterr().out


def test_keeper_file__addresses__are_services_of_compose():
    config = load_config(DEPLOY / "keeper.toml").config
    hosts = re.findall(r"//(?:\w+@)?([\w-]+):", " ".join((*config.chain.endpoints, config.database.url)))
    assert len(hosts) == 2
    assert set(hosts) <= set(SERVICES)
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][0]
    port = config.web.bind.rpartition(":")[2]
    assert scraped["static_configs"][0]["targets"] == [f"{name}:{port}" for name in ("keeper", "standby")]


def test_unit__hardening_and_watchdog__are_there():
    for line in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "SystemCallFilter=@system-service",
        "User=plimsoll",
        "Type=notify",
        "Restart=on-failure",
        "RestartPreventExitStatus=2",
    ):
        assert f"\n{line}\n" in UNIT
    assert not re.search(r"(password|key)=\S*[0-9a-f]{16}", UNIT)
    assert tomllib.loads((DEPLOY / "keeper.toml").read_text(encoding="utf-8"))["keeper"]["deployment"]
