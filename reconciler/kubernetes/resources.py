"""How much a runner's container gets: its session's wish, else the namespace's default, else ours. Pure."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from ambient.cluster_settings import GROUPS_OF_RESOURCES, KINDS_OF_RESOURCES, is_extended

Amounts = Mapping[str, Mapping[str, str]]


def container_resources(
    wanted: Amounts, default: Amounts, limit_ranges: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """`requests` and `limits`. What the session asks for is asked for, and the cluster may refuse it; our
    default gives way to a default of the namespace and stays within its bounds."""
    bounds = [
        item
        for found in limit_ranges
        for item in found["spec"].get("limits", [])
        if item.get("type") == "Container"
    ]
    chosen: dict[str, dict[str, str]] = {group: {} for group in GROUPS_OF_RESOURCES}
    for name in dict.fromkeys([*KINDS_OF_RESOURCES, *_named(wanted), *_named(default)]):
        request, limit = (_amount(wanted, group, name) for group in chosen)
        usual_request, usual_limit = (_amount(default, group, name) for group in chosen)
        if request is None and limit is None:
            if any(name in (item.get("default") or {}) for item in bounds):
                continue
            request, limit = (_within(usual, name, bounds) for usual in (usual_request, usual_limit))
        elif is_extended(name):  # not to be had in parts: the cluster wants both alike
            request, limit = request or limit, limit or request
        elif limit is None:
            limit = max(request, usual_limit, key=_size)
        elif request is None:
            request = min(limit, usual_request, key=lambda text: _size(text or limit))
            request = request or limit
        for group, amount in (("requests", request), ("limits", limit)):
            if amount is not None:
                chosen[group][name] = amount
    return {group: amounts for group, amounts in chosen.items() if amounts}


def _named(amounts: Amounts) -> list[str]:
    return [name for group in amounts.values() for name in group]


def _amount(amounts: Amounts, group: str, name: str) -> str | None:
    return amounts.get(group, {}).get(name)


def _within(amount: str | None, name: str, bounds: Iterable[Mapping[str, Any]]) -> str | None:
    for item in bounds if amount is not None else ():
        for bound, choose in (("min", max), ("max", min)):
            if name in (item.get(bound) or {}):
                amount = choose(amount, item[bound][name], key=_size)
    return amount


def _size(text: str | None) -> Decimal:
    return parse_quantity(text) if text is not None else Decimal(0)
