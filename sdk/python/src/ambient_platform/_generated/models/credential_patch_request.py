from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="CredentialPatchRequest")


@_attrs_define
class CredentialPatchRequest:
    """Credential: a secret that sessions use towards another service. Its token is never in an answer.

    Attributes:
        name (str | Unset):
        provider (str | Unset): github, gitlab, jira, google, vertex, kubeconfig
        token (str | Unset): The secret; empty takes it away. Kept encrypted. A JSON object with `ambient_type`
            (github_app, google_service_account, oauth_refresh) makes short-lived tokens.
        url (str | Unset): Needed by jira; for self-hosted github and gitlab. Whoever sees the credential reads it: a
            user or password before the host, a query or a fragment is a 400.
        email (str | Unset): Needed by jira.
        description (str | Unset):
        labels (str | Unset):
        annotations (str | Unset):
    """

    name: str | Unset = UNSET
    provider: str | Unset = UNSET
    token: str | Unset = UNSET
    url: str | Unset = UNSET
    email: str | Unset = UNSET
    description: str | Unset = UNSET
    labels: str | Unset = UNSET
    annotations: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        provider = self.provider

        token = self.token

        url = self.url

        email = self.email

        description = self.description

        labels = self.labels

        annotations = self.annotations

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if provider is not UNSET:
            field_dict["provider"] = provider
        if token is not UNSET:
            field_dict["token"] = token
        if url is not UNSET:
            field_dict["url"] = url
        if email is not UNSET:
            field_dict["email"] = email
        if description is not UNSET:
            field_dict["description"] = description
        if labels is not UNSET:
            field_dict["labels"] = labels
        if annotations is not UNSET:
            field_dict["annotations"] = annotations

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name", UNSET)

        provider = d.pop("provider", UNSET)

        token = d.pop("token", UNSET)

        url = d.pop("url", UNSET)

        email = d.pop("email", UNSET)

        description = d.pop("description", UNSET)

        labels = d.pop("labels", UNSET)

        annotations = d.pop("annotations", UNSET)

        credential_patch_request = cls(
            name=name,
            provider=provider,
            token=token,
            url=url,
            email=email,
            description=description,
            labels=labels,
            annotations=annotations,
        )

        credential_patch_request.additional_properties = d
        return credential_patch_request

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
