"""Merging single labels and annotations, so that two writers do not lose each other's keys."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from ambient.common.database import transactional
from ambient.common.exceptions import MalformedRequest
from projects_app.services.labels import merged

MERGE_PATCH = {
    "application/json": {"type": "object", "additionalProperties": {"type": "string", "nullable": True}}
}


class MergesLabels:
    """For viewsets of kinds with labels: PATCH of `labels` and `annotations` below one object.

    The body is a merge patch (RFC 7396) of texts: null takes a key away. Answers with the object.
    """

    @extend_schema(request=MERGE_PATCH)
    def merge_labels(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Set or take away single labels."""
        return self._merge("labels")

    @extend_schema(request=MERGE_PATCH)
    def merge_annotations(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Set or take away single annotations."""
        return self._merge("annotations")

    def _merge(self: Any, field: str) -> Response:
        obj = self.get_object()
        patch = self.request.body_object()
        for key, value in patch.items():
            if value is not None and not isinstance(value, str):
                raise MalformedRequest(f"Invalid request format: {key[:64]} must be a string or null")
        response: Response = self.respond(self._merged(obj, field, patch))
        return response

    @transactional
    def _merged(self: Any, obj: Any, field: str, patch: dict[str, str | None]) -> Any:
        locked = type(obj).objects.select_for_update(no_key=True, of=("self",)).get(pk=obj.pk)
        text = merged(getattr(locked, field), patch, field)
        form = self.serializer_class(partial=True)
        return self.perform_update(locked, form.to_internal_value({field: text}))
