"""Keys and certificates of a throw-away cluster: one authority, and what it signs."""

import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ambient.embedded.home import write_private

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, as PEM."""

    certificate: str
    key: str = field(repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Show it in TLS."""
        with tempfile.TemporaryDirectory() as folder:  # Python's TLS reads files only
            context.load_cert_chain(*self.write(Path(folder), "pair"))

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Its two files in a folder."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_text(self.certificate)
        write_private(key, self.key)
        return certificate, key


def private_pem(key: Key) -> str:
    """A private key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def signing_keys() -> tuple[str, str]:
    """The private and the public key of ServiceAccount tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private_pem(key), public.decode()


class Authority:
    """Signs everything in one cluster; Kubernetes reads user and groups from a certificate's name."""

    def __init__(self, pair: Pair) -> None:
        self.certificate = pair.certificate
        self._pair = pair

    @classmethod
    def new(cls) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("cluster", ())
        built = _builder(name, name, key).add_extension(x509.BasicConstraints(True, None), critical=True)
        return cls(Pair(_pem(built.sign(key, hashes.SHA256())), private_pem(key)))

    @property
    def pair(self) -> Pair:
        """What to keep in order to sign again later."""
        return self._pair

    def issue(self, user: str, groups: Sequence[str] = (), addresses: Sequence[str] = ()) -> Pair:
        """A certificate for a client and, with addresses, a server."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.load_pem_x509_certificate(self._pair.certificate.encode()).subject
        built = _builder(_name(user, groups), issuer, key)
        if addresses:
            names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        authority = serialization.load_pem_private_key(self._pair.key.encode(), None)
        assert isinstance(authority, ec.EllipticCurvePrivateKey)
        return Pair(_pem(built.sign(authority, hashes.SHA256())), private_pem(key))


def _name(user: str, groups: Sequence[str]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=7))
        .not_valid_after(now + datetime.timedelta(days=30))
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
