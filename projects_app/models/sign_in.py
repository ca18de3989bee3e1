"""BrowserSignIn: a browser in which somebody signed in with an OpenID Connect provider."""

from django.db import models

from ambient.common.models import ksuid_field
from ambient.common.sealed import SealedTextField, sealed_index
from projects_app.models.user import ExternalIdentity


class BrowserSignIn(models.Model):
    """Until when a browser's cookie counts, and with what that is made longer.

    It is a row and no part of the browser session: two requests that renew it at once must not undo each
    other, and its tokens are sealed.
    """

    id = ksuid_field()
    identity = models.ForeignKey(ExternalIdentity, on_delete=models.CASCADE, related_name="sign_ins")
    tokens_sealed = SealedTextField(bound_by="tokens_context", null=True)
    """JSON: the ID token, which the provider wants to see at sign-out, the refresh token and the nonce."""
    expires_at = models.DateTimeField()
    renewing_until = models.DateTimeField(null=True)
    """Until then one request is asking the provider; the others do not."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index("expires_at", name="browsersignin_expires"),
            sealed_index("tokens_sealed", name="browsersignin_sealed_by"),
        ]

    def __str__(self) -> str:
        return f"{self.identity_id} until {self.expires_at}"

    @property
    def tokens_context(self) -> str:
        """What the sealed tokens are bound to."""
        return f"browser-sign-in:{self.id}:tokens"
