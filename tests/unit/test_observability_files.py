"""Dashboard, alert rules and their pages agree with the table of metrics."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import promql_parser
import pytest
import yaml

from ambient import env
from tests.metrics_table import documented

ROOT = env.BASE_DIR
DASHBOARD = json.loads((ROOT / "deploy/grafana/ambient.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
FROM_PROMETHEUS = {"up"}
SUFFIXES = ("_bucket", "_sum", "_count")


def target_expressions():
    for panel in PANELS:
        for target in panel["targets"]:
            text = target["expr"].replace("$__rate_interval", "5m")
            yield pytest.param(text, id=f"panel {panel['title']} {target['refId']}")


def rule_expressions():
    return [pytest.param(rule["expr"], id=rule["alert"]) for rule in RULES]


@dataclass(frozen=True)
class Selected:
    """A metric in an expression: the labels it is selected by, and whether it is summed over servers."""

    name: str
    labels: frozenset[str]
    summed: bool


def selected(expression: str) -> list[Selected]:
    """Every metric of an expression; fails where it does not parse."""
    found: list[Selected] = []

    def look(node, summed=False):
        match node:
            case promql_parser.VectorSelector():
                labels = frozenset(matcher.name for matcher in node.matchers.matchers)
                found.append(Selected(node.name, labels, summed))
            case promql_parser.MatrixSelector():
                look(node.vector_selector, summed)
            case promql_parser.AggregateExpr():
                kept = node.modifier.labels if node.modifier is not None else []
                look(node.expr, summed or (str(node.op) == "sum" and "instance" not in kept))
            case promql_parser.BinaryExpr():
                look(node.lhs, summed)
                look(node.rhs, summed)
            case promql_parser.Call():
                for argument in node.args:
                    look(argument, summed)
            case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
                look(node.expr, summed)

    look(promql_parser.parse(expression))
    return found


@pytest.mark.parametrize("expression", [*rule_expressions(), *target_expressions()])
def test_expressions_parse_and_name_what_is_in_the_table(expression):
    table = documented()
    found = [part for part in selected(expression) if part.name not in FROM_PROMETHEUS]
    for part in found:
        names = (part.name, *(part.name.removesuffix(suffix) for suffix in SUFFIXES))
        row = next((table[name] for name in names if name in table), None)
        assert row is not None, part.name
        assert part.labels <= {*row.labels, "job", "instance"}
        assert not (part.summed and row.scope == "platform"), f"every server repeats {part.name}: no sum"
    assert found or "up{" in expression


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_it_is_and_has_its_page(rule):
    assert {"summary", "description", "runbook_url"} <= set(rule["annotations"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^### (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    assert anchor == rule["alert"].lower()


def test_every_page_of_an_alert_has_its_alert():
    section = (ROOT / "docs/operations.md").read_text().split("\n## Alerts\n", 1)[1].split("\n## ", 1)[0]
    headings = re.findall(r"^### (.+)$", section, re.MULTILINE)
    assert headings == [rule["alert"] for rule in RULES]
    for word in ("**Means.**", "**Look.**", "**Do.**", "**Users see**"):
        assert section.count(word) == len(headings), word


def test_panels_are_numbered_once_and_do_not_overlap():
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for y in range(place["y"], place["y"] + place["h"]):
            for x in range(place["x"], place["x"] + place["w"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_the_scrape_configuration_has_the_jobs_that_the_alerts_name():
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
    assert [job["job_name"] for job in config["scrape_configs"]] == ["ambient-api", "ambient-control-plane"]
    assert all((ROOT / "deploy/prometheus" / Path(name)).exists() for name in config["rule_files"])


def test_what_the_contract_answers_with_is_no_server_error():
    rule = next(rule for rule in RULES if rule["alert"] == "AmbientServerErrors")
    panel = next(panel for panel in PANELS if panel["title"] == "500 answers")
    for expression in (rule["expr"], panel["targets"][0]["expr"]):
        assert set(re.findall(r'status=~?"([^"]*)"', expression)) == {"500"}
