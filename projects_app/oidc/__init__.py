"""OpenID Connect: tokens of issuers that the settings name, verified here, never by asking the provider.

`issuers` says whom we believe, `keys` holds their public keys, `tokens` verifies, `bearer` finds the user.
"""
