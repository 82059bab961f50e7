"""An operator of NATS for a test: accounts and users that a server knows by signed tokens (JWT) instead of passwords, as
`nsc` makes them. Keys are Ed25519 (NATS calls them nkeys); cryptography, a package of Debian, signs.

    operator = Operator()
    Server(folder, **operator.settings())           # JetStream is allowed to its account
    operator.credentials(folder / "user.creds")     # a user of that account
    Operator().credentials(...)                     # somebody else's user, whom the server must refuse"""

import base64
import json
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

SEED, OPERATOR, ACCOUNT, USER = 18 << 3, 14 << 3, 0, 20 << 3


def checksum(data):
    """CRC-16 as XMODEM has it."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc.to_bytes(2, "little")


def words(data):
    return base64.b32encode(data + checksum(data)).decode().rstrip("=")


def part(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    def __init__(self, kind):
        self.kind, self.key = kind, ed25519.Ed25519PrivateKey.generate()
        raw = serialization.Encoding.Raw
        private = self.key.private_bytes(raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
        self.public = words(bytes([kind]) + self.key.public_key().public_bytes(raw, serialization.PublicFormat.Raw))
        self.seed = words(bytes([SEED | kind >> 5, (kind & 31) << 3]) + private)

    def sign(self, subject, name, **nats):
        claims = {"jti": name, "iat": int(time.time()), "iss": self.public, "name": name, "sub": subject, "nats": nats | {"version": 2}}
        head = part(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
        body = head + "." + part(json.dumps(claims).encode())
        return body + "." + part(self.key.sign(body.encode()))


class Operator:
    def __init__(self):
        self.key, self.account, self.system = Key(OPERATOR), Key(ACCOUNT), Key(ACCOUNT)
        self.jwt = self.key.sign(self.key.public, "operator", type="operator")
        none = -1  # no limit
        limits = {name: none for name in ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage",
                                          "disk_storage", "streams", "consumer")} | {"wildcards": True}
        free = {"type": "account", "default_permissions": {"pub": {}, "sub": {}}}
        self.account_jwt = self.key.sign(self.account.public, "account", limits=limits, **free)
        self.system_jwt = self.key.sign(self.system.public, "system", limits=limits | {"mem_storage": 0, "disk_storage": 0}, **free)

    def settings(self):
        """Of servers.nats.Server."""
        known = {self.account.public: self.account_jwt, self.system.public: self.system_jwt}
        return {"operator": self.jwt, "system_account": self.system.public, "resolver": "MEMORY",
                "resolver_preload": "{ %s }" % ", ".join("%s: %s" % one for one in known.items())}

    def credentials(self, file):
        user = Key(USER)
        jwt = self.account.sign(user.public, "user", type="user", pub={}, sub={}, subs=-1, data=-1, payload=-1)
        file.write_text("-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"
                        "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n" % (jwt, user.seed))
        return file
