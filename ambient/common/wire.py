"""A kind's wire form, declared once: strict on what comes in, exact on what goes out.

A field raises MalformedRequest (17) for a wrong JSON type and InvalidField (8) for a broken rule. Unset
optional fields are left out of answers.
"""

import datetime
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ambient.common.exceptions import InvalidField, MalformedRequest
from ambient.common.search import Column, ColumnType

INT32 = 2**31 - 1
NAME_LIMIT = 255
TEXT_LIMIT = 65_536
LONG_LIMIT = 1_048_576
LABEL_KEYS = {"labels": "labels_index", "annotations": "annotations_index"}
"""Fields with a JSONB column beside the text, which searches by key read."""


def malformed(detail: str) -> MalformedRequest:
    """The one shape of "the body is not as declared"."""
    return MalformedRequest(f"Invalid request format: {detail}")


class Text(serializers.CharField):
    """A string, taken and given as it is. `create_only`: ignored in PATCH."""

    def __init__(
        self, *, limit: int = TEXT_LIMIT, empty: bool = True, create_only: bool = False, **kwargs: Any
    ) -> None:
        kwargs.setdefault("required", False)
        if not kwargs.get("read_only"):  # for the OpenAPI document; `run_validation` is what checks
            kwargs |= {"max_length": limit} | ({} if empty else {"min_length": 1})
        super().__init__(allow_blank=empty, trim_whitespace=False, **kwargs)
        self.limit, self.empty, self.create_only = limit, empty, create_only

    def run_validation(self, data: Any = serializers.empty) -> str:
        if not isinstance(data, str):
            raise malformed(f"{self.field_name} must be a string")
        if not data and not self.empty:
            raise InvalidField(f"{self.field_name} must not be empty")
        if len(data) > self.limit:
            raise InvalidField(f"{self.field_name} may have at most {self.limit} characters")
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


def name_text(**kwargs: Any) -> Text:
    """A short, non-empty text."""
    return Text(limit=NAME_LIMIT, empty=False, **kwargs)


class JsonText(Text):
    """JSON kept as the text that was sent; a map or array is refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(limit=LONG_LIMIT, **kwargs)


class LabelsText(JsonText):
    """As JsonText, but an object is taken too and kept as compact JSON: some clients send maps."""

    def run_validation(self, data: Any = serializers.empty) -> str:
        return super().run_validation(orjson.dumps(data).decode() if isinstance(data, dict) else data)


class OneOf(Text):
    """A string out of a closed list. `error` is the exception for any other."""

    def __init__(
        self, choices: list[str], *, error: type[Exception] = InvalidField, text: str = "", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.allowed, self.error, self.text = choices, error, text

    def run_validation(self, data: Any = serializers.empty) -> str:
        value = super().run_validation(data)
        if value not in self.allowed:
            raise self.error(self.text or f"{self.field_name} must be one of {', '.join(self.allowed)}")
        return value


class Int32(serializers.IntegerField):
    """A whole number of 32 bits; `least` and `most` are what makes sense."""

    def __init__(self, *, least: int | None = None, most: int = INT32, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(min_value=-INT32 - 1 if least is None else least, max_value=most, **kwargs)
        self.least, self.most, self.create_only = least, most, False

    def run_validation(self, data: Any = serializers.empty) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise malformed(f"{self.field_name} must be a whole number")
        if not -INT32 - 1 <= data <= INT32:
            raise malformed(f"{self.field_name} is out of range")
        if self.least is not None and data < self.least:
            raise InvalidField(f"{self.field_name} must be at least {self.least}")
        if data > self.most:
            raise InvalidField(f"{self.field_name} must be at most {self.most}")
        return data


class Double(serializers.FloatField):
    """A number."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.create_only = False

    def run_validation(self, data: Any = serializers.empty) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise malformed(f"{self.field_name} must be a number")
        value = float(data)
        if not math.isfinite(value):
            raise malformed(f"{self.field_name} is out of range")
        return value


class Flag(serializers.BooleanField):
    """true or false, nothing that merely looks like it. `create_only`: ignored in PATCH."""

    def __init__(self, *, create_only: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.create_only = create_only

    def run_validation(self, data: Any = serializers.empty) -> bool:
        if not isinstance(data, bool):
            raise malformed(f"{self.field_name} must be true or false")
        return data


class Timestamp(serializers.DateTimeField):
    """RFC 3339; given in UTC with `Z`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.create_only = False

    def run_validation(self, data: Any = serializers.empty) -> datetime.datetime:
        if not isinstance(data, str):
            raise malformed(f"{self.field_name} must be a time as RFC 3339 has it")
        try:
            value: datetime.datetime = self.to_internal_value(data)
        except (serializers.ValidationError, OverflowError) as exc:
            raise malformed(f"{self.field_name} must be a time as RFC 3339 has it") from exc
        return value


class WireSerializer(serializers.Serializer):
    """Base of every kind. Subclasses declare fields and, below, what differs from the usual rules."""

    wire_kind: ClassVar[str] = ""
    wire_plural: ClassVar[str] = ""
    always: ClassVar[frozenset[str]] = frozenset()  # present in answers even when null
    clearable: ClassVar[frozenset[str]] = frozenset()  # an explicit null in PATCH clears it
    computed: ClassVar[frozenset[str]] = frozenset()  # not a column: no search and no order by it
    strict: ClassVar[bool] = True  # unknown keys are refused on create
    example: ClassVar[Mapping[str, Any]] = {}  # a create as the OpenAPI document shows it

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # Django REST framework shows what it was made with

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise malformed("the body must be a JSON object")
        if not self.partial:
            self._check_keys(data)
        values: dict[str, Any] = {}
        for name, field in self.fields.items():
            if field.read_only or (self.partial and getattr(field, "create_only", False)):
                continue
            if name not in data:
                if field.required and not self.partial:
                    if self.strict:
                        raise malformed(f"{name} is missing")
                    raise InvalidField(f"{name} is required")
            elif data[name] is not None:
                values[name] = field.run_validation(data[name])
            elif self.partial and name in self.clearable:
                values[name] = None
            elif field.required and not self.partial:
                raise InvalidField(f"{name} must not be empty")
        return values

    def _check_keys(self, data: Mapping[str, Any]) -> None:
        if data.get("id") not in (None, ""):
            raise InvalidField("id must be empty")
        unknown = sorted(set(data) - set(self.fields) - {"id", "kind", "href"})
        if self.strict and unknown:
            raise malformed(f"unknown field {unknown[0][:NAME_LIMIT]!r}")

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return self.to_internal_value(data)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for field in self._readable_fields:
            value = field.get_attribute(instance)
            name = str(field.field_name)
            if value is not None:
                out[name] = field.to_representation(value)
            elif name in self.always:
                out[name] = None
        return out

    def get_href(self, instance: Any) -> str:
        """The path of an object."""
        return f"/api/ambient/v1/{self.wire_plural}/{instance.pk}"

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """What `search` and `orderBy` may name: the stored fields that an answer may show."""
        return {
            name: Column(path_of(name, field), type_of(field), LABEL_KEYS.get(name))
            for name, field in cls._declared_fields.items()
            if name not in {"kind", "href"} | cls.computed and not field.write_only
        }


def path_of(name: str, field: Any) -> str:
    """The column of a field."""
    return str(getattr(field, "source", None) or name)


def type_of(field: Any) -> ColumnType:
    """How a field's values compare."""
    match field:
        case serializers.IntegerField() | serializers.FloatField():
            return ColumnType.NUMBER
        case serializers.BooleanField():
            return ColumnType.BOOLEAN
        case serializers.DateTimeField():
            return ColumnType.TIME
        case _:
            return ColumnType.TEXT


@extend_schema_field(OpenApiTypes.STR)
class KindField(serializers.ReadOnlyField):
    """The kind's name."""

    def __init__(self) -> None:
        super().__init__(source="*")

    def to_representation(self, value: Any) -> str:
        return str(getattr(self.parent, "wire_kind", ""))


@extend_schema_field(OpenApiTypes.STR)
class HrefField(serializers.ReadOnlyField):
    """The object's path."""

    def __init__(self) -> None:
        super().__init__(source="*")

    def to_representation(self, value: Any) -> str:
        return self.parent.get_href(value) if isinstance(self.parent, WireSerializer) else ""


class EntitySerializer(WireSerializer):
    """What every kind has."""

    id = serializers.CharField(read_only=True)
    kind = KindField()
    href = HrefField()
    created_at = Timestamp(read_only=True)
    updated_at = Timestamp(read_only=True)
