"""Certificates for servers of the tests: an authority, a server's certificate, and twins of it that must be refused.

    tls = Certificates(folder)
    tls.authority                # what clients trust (PEM)
    tls.server.certificate, tls.server.key, tls.server.both     # good for localhost and 127.0.0.1
    tls.wrong_name               # from the same authority, for another host
    tls.expired                  # from the same authority, its time is over
    tls.unknown                  # right name and time, from an authority that nobody was told of
    tls.client                   # for servers that ask clients for one (its common name is "sluice")

`twins` are the three that must be refused, by name. Keys are P-256 in PKCS#8, without a password; everything is made
by openssl, once per folder."""

import pathlib
import subprocess

SERVER_NAMES = "DNS:localhost,IP:127.0.0.1"
CONFIG = """
[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""
PURPOSE = """
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = %s
subjectAltName = %s
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
LONG_AGO, YESTERYEAR, START, END = "20200101000000Z", "20210101000000Z", "20240101000000Z", "20481231000000Z"


class Pair:
    """A certificate and its key. `both` holds them in one file, the key first."""

    def __init__(self, folder, name):
        self.certificate, self.key, self.both = (folder / (name + end) for end in (".pem", ".key", ".both.pem"))


class Authority:
    """Signs what it is asked to, in a folder of its own."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True)
        self.certificate = self.folder / "ca.pem"
        (self.folder / "index.txt").touch()
        (self.folder / "openssl.cnf").write_text(CONFIG)
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ca.key")
        self.openssl("req", "-x509", "-new", "-config", "openssl.cnf", "-extensions", "authority", "-key", "ca.key", "-sha256",
                     "-days", "7300", "-subj", "/CN=" + name, "-out", "ca.pem")

    def openssl(self, *arguments):
        ran = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60)
        if ran.returncode != 0:
            raise RuntimeError("openssl %s: %s" % (" ".join(arguments), ran.stderr))

    def issue(self, name, common_name, names, purpose="serverAuth", start=START, end=END):
        made = Pair(self.folder, name)
        (self.folder / (name + ".cnf")).write_text(CONFIG + PURPOSE % (purpose, names))
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", made.key.name)
        self.openssl("req", "-new", "-config", name + ".cnf", "-key", made.key.name, "-subj", "/CN=" + common_name, "-out",
                     name + ".csr")
        self.openssl("ca", "-batch", "-notext", "-config", name + ".cnf", "-extensions", "leaf", "-cert", "ca.pem", "-keyfile",
                     "ca.key", "-in", name + ".csr", "-startdate", start, "-enddate", end, "-out", made.certificate.name)
        made.both.write_text(made.key.read_text() + made.certificate.read_text())
        return made


class Certificates:
    def __init__(self, folder):
        ours, strangers = Authority(folder, "sluice-tests"), Authority(folder, "unknown-authority")
        self.authority = ours.certificate
        self.unknown_authority = strangers.certificate
        self.server = ours.issue("server", "localhost", SERVER_NAMES)
        self.client = ours.issue("client", "sluice", "DNS:sluice", purpose="clientAuth")
        self.wrong_name = ours.issue("wrong_name", "elsewhere.example", "DNS:elsewhere.example")
        self.expired = ours.issue("expired", "localhost", SERVER_NAMES, start=LONG_AGO, end=YESTERYEAR)
        self.unknown = strangers.issue("unknown", "localhost", SERVER_NAMES)
        self.twins = {"wrong_name": self.wrong_name, "expired": self.expired, "unknown": self.unknown}
