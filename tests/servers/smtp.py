"""A real mail server for a test (aiosmtpd, as a process of its own). What it accepted is a file, so a kill loses nothing.

    server = Server(folder, tls=True, auth=True).start()   # STARTTLS demanded, a login demanded
    server.mails()                                         # what was accepted: email.message.EmailMessage, .recipients
    server.refuse("nobody@example.org", "550 5.1.1 no such user")     # from now on; None: takes it again
    server.connections()                                   # how many were made
    Server(folder, tls=True, implicit=True)                # TLS from the first byte

USER and PASSWORD log in, by PLAIN, LOGIN or CRAM-MD5."""

import email
import email.policy
import hashlib
import hmac
import json
import pathlib
import sys

USER, PASSWORD = "sluice", "only-for-tests"


class Server:
    def __init__(self, folder, tls=False, auth=False, implicit=False, certificate=None, port=None):
        from servers import tls as certificates
        from support import free_port

        self.folder = pathlib.Path(folder) / "smtp"
        (self.folder / "mails").mkdir(parents=True, exist_ok=True)
        self.certificates = certificates.Certificates(pathlib.Path(folder) / "tls") if tls is True else tls or None
        self.certificate = certificate or (self.certificates and self.certificates.server)
        self.auth, self.implicit = auth, implicit
        self.port = port or free_port()
        self.process = None
        self.refusals = {}

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("smtps" if self.implicit else "smtp", self.port)

    def start(self):
        from support import Process, listens, wait_for

        options = {"folder": str(self.folder), "port": self.port, "auth": bool(self.auth), "implicit": self.implicit}
        if self.certificate:
            options |= {"certificate": str(self.certificate.certificate), "key": str(self.certificate.key)}
        self.process = Process(["/usr/bin/python3", __file__, json.dumps(options)], self.folder, "smtp")
        wait_for(lambda: self.process.process.poll() is not None or listens(self.port),
                 lambda: "the mail server to answer, which printed:\n" + self.process.text())
        if self.process.process.poll() is not None:
            raise AssertionError("the mail server ended:\n" + self.process.text())
        self.probes = wait_for(self.lines_of_connections, "the server to notice the probe")
        return self

    def lines_of_connections(self):
        return len(self.process.lines("connection"))

    def stop(self):
        return self.process.end() if self.process else None

    end = stop

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()

    def restart(self):
        self.kill()
        return self.start()

    def refuse(self, address, reply):
        self.refusals[address] = reply
        fresh = self.folder / "refusals.new"
        fresh.write_text(json.dumps(self.refusals))
        fresh.replace(self.folder / "refusals.json")

    def mails(self):
        all_of_them = []
        for file in sorted((self.folder / "mails").glob("*.eml")):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            mail.recipients = json.loads(file.with_suffix(".json").read_text())
            all_of_them.append(mail)
        return all_of_them

    def connections(self):
        return self.lines_of_connections() - self.probes


def serve(options):
    import asyncio
    import ssl

    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    folder = pathlib.Path(options["folder"])

    class Handler:
        count = len(list((folder / "mails").glob("*.eml")))

        async def handle_RCPT(self, server, session, envelope, address, _options):
            file = folder / "refusals.json"
            reply = json.loads(file.read_text()).get(address) if file.exists() else None
            if reply:
                return reply
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server, session, envelope):
            self.count += 1
            name = folder / "mails" / ("%06d" % self.count)
            name.with_suffix(".json").write_text(json.dumps(envelope.rcpt_tos))
            part = name.with_suffix(".part")
            part.write_bytes(envelope.content)
            part.rename(name.with_suffix(".eml"))
            return "250 accepted"

    class Smtp(SMTP):
        async def auth_CRAM__MD5(self, server, arguments):
            challenge = b"<1.2@example.org>"
            answer = await self.challenge_auth(challenge)
            user, _, digest = answer.decode().partition(" ")
            wanted = hmac.new(PASSWORD.encode(), challenge, hashlib.md5).hexdigest()
            return AuthResult(success=user == USER and hmac.compare_digest(digest, wanted), handled=False)

    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    context = None
    if "certificate" in options:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["certificate"], options["key"])
    handler = Handler()

    def make():
        print("connection", flush=True)
        starttls = context is not None and not options["implicit"]
        return Smtp(handler, hostname="mail.example.org", tls_context=context if starttls else None, require_starttls=starttls,
                    authenticator=authenticate if options["auth"] else None, auth_required=options["auth"],
                    auth_require_tls=False, enable_SMTPUTF8=True)

    async def run():
        server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", options["port"],
                                                                ssl=context if options["implicit"] else None)
        await server.serve_forever()

    asyncio.run(run())


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
