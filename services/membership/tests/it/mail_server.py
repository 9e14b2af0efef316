"""A mail server for tests: takes messages of one user and writes them down, one JSON object a line.

Addresses that begin with "bounce" are refused for good, those that begin with "busy" for now, and whoever writes to those
that begin with "barred" may not send at all. The first line on
standard output is the port. It ends when its standard input does.
"""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    """Refuses some, writes the others down."""

    def __init__(self, path):
        self.path = path

    async def handle_RCPT(self, server, session, envelope, address, options):
        """Says yes or no to an address."""
        if address.startswith("bounce"):
            return f"550 5.1.1 <{address}> is nobody here"
        if address.startswith("busy"):
            return f"451 4.3.0 <{address}> is busy, come again"
        if address.startswith("barred"):
            return "550 5.7.1 you may not send from here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        """Writes a message down."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "to": envelope.rcpt_tos,
            "subject": message["Subject"],
            "id": message["Message-ID"],
            "headers": sorted(message.keys()),
            "body": message.get_content().replace("\r\n", "\n"),
        }
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return "250 OK"


def right(server, session, envelope, mechanism, data):
    """Whether user and password are right."""
    is_right = (data.login, data.password) == (b"notices", b"s3cret")
    # Not handled: the server answers a wrong one itself.
    return AuthResult(success=is_right, handled=False)


async def main():
    """Serves until nobody is there any more."""

    def session():
        return SMTP(
            Handler(sys.argv[1]),
            authenticator=right,
            auth_required=True,
            auth_require_tls=False,
            enable_SMTPUTF8=True,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
