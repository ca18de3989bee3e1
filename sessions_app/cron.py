"""Cron expressions: five fields, in a time zone, with daylight saving as Debian's cron treats it. Pure.

An hour that the clock skips is made up for right after it; one that comes twice counts once, but for entries
that are due more often than hourly.
"""

import datetime
import zoneinfo

from cronsim import CronSim, CronSimError

from ambient.common.exceptions import InvalidField

FIELDS = 5


def checked_timezone(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of an IANA name; InvalidField where there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise InvalidField("timezone must be an IANA name such as Europe/Berlin") from exc


def next_due(schedule: str, timezone: str, after: datetime.datetime) -> datetime.datetime:
    """The first time after a moment, in UTC; InvalidField when the expression is none or never due."""
    zone = checked_timezone(timezone)
    if len(schedule.split()) != FIELDS:
        raise InvalidField("schedule must have five fields: minute hour day month weekday")
    try:
        return next(CronSim(schedule, after.astimezone(zone))).astimezone(datetime.UTC)
    except CronSimError as exc:
        raise InvalidField(f"schedule is not understood: {exc}") from exc
    except StopIteration as exc:
        raise InvalidField("schedule is never due") from exc
