"""A small world in which real libraries really fail: servers, closed ports, broken files."""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable
from urllib.parse import unquote

#: Seconds a client waits for a server that never answers.
PATIENCE = 0.2
_LINGER = struct.pack("ii", 1, 0)

_S3_ERROR = "<?xml version='1.0'?><Error><Code>{0}</Code><Message>{1}</Message></Error>"


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answer as the path says: /status/<code>, /hub/<code>/<error code>, /s3/<code>/<name>, /sts/..., ..."""

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        kind, _, rest = self.path.lstrip("/").partition("/")
        parts = rest.split("/")
        if kind == "status":
            self._send(int(parts[0]), parts[1].replace("+", " ") if len(parts) > 1 else "")
        elif kind == "hub":
            self._send(int(parts[0]), "", {"X-Error-Code": parts[1], "X-Error-Message": parts[1]})
        elif kind == "s3":
            text = _S3_ERROR.format(parts[1], unquote(parts[2]).replace("+", " "))
            self._send(int(parts[0]), text, {"Content-Type": "application/xml"})
        elif kind == "sts":
            text = _S3_ERROR.format(parts[1], unquote(parts[2]).replace("+", " "))
            text = text.replace("<Error>", "<ErrorResponse><Error>") + "</ErrorResponse>"
            self._send(int(parts[0]), text, {"Content-Type": "text/xml"})
        elif kind == "gcs":
            text = json.dumps(
                {"error": {"code": int(parts[0]), "message": parts[1].replace("+", " ")}}
            )
            self._send(int(parts[0]), text, {"Content-Type": "application/json"})
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            self.connection.close()
        elif kind == "close":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif kind == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"x" * 10)
        elif kind == "changed":
            self._send(200, "weights", {"x-amz-checksum-crc32": "AAAAAA=="})
        elif kind == "slow":
            time.sleep(PATIENCE * 4)
        elif kind == "loop":
            self._send(302, "", {"Location": self.path})
        else:
            self._send(200, "<html>hello</html>")

    do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815

    def _send(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        body = text.encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Stay silent: clients go away on purpose."""


class World:
    """Hold what raisers need: a directory, a server's address, servers of any protocol."""

    def __init__(self, tmp: Path, url: str, tls_url: str) -> None:
        self.tmp = tmp
        self.url = url
        self.tls_url = tls_url
        self._sockets: list[socket.socket] = []

    def file(self, name: str, content: bytes = b"") -> str:
        """Write a file and return its path."""
        path = self.tmp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    def closed_port(self) -> int:
        """Return a port on which nothing listens."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def elsewhere(self) -> str:
        """Return a name of this host that reads like another one's."""
        return socket.gethostname()

    def tcp(self, talk: Callable[[socket.socket], None]) -> int:
        """Serve one kind of talk on a port, and return it."""
        server = socket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        self._sockets.append(server)

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with contextlib.suppress(OSError), client:
                    client.settimeout(2)
                    talk(client)

        threading.Thread(target=serve, daemon=True).start()
        return int(server.getsockname()[1])

    def close(self) -> None:
        """Close what was opened."""
        for server in self._sockets:
            server.close()


def _certificate(directory: Path) -> tuple[str, str] | None:
    """Make a self-signed certificate; None where there is no openssl command."""
    if shutil.which("openssl") is None:
        return None
    key, cert = str(directory / "key.pem"), str(directory / "cert.pem")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ),
            *("-nodes", "-keyout", key, "-out", cert, "-days", "1", "-subj", "/CN=localhost"),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@contextlib.contextmanager
def world(tmp: Path) -> Iterator[World]:
    """Run the servers while the raisers need them."""
    plain = _Server(("127.0.0.1", 0), _Handler)
    servers = [plain]
    tls_url = ""
    certificate = _certificate(tmp)
    if certificate:
        secure = _Server(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        tls_url = f"https://127.0.0.1:{secure.server_address[1]}"
        servers.append(secure)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    made = World(tmp, f"http://127.0.0.1:{plain.server_address[1]}", tls_url)
    try:
        yield made
    finally:
        made.close()
        for server in servers:
            server.shutdown()
            server.server_close()
