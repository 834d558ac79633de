#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""https_server.py PORT CERT KEY FOLDER: serves FOLDER/document with an ETag, as FOLDER/mode says.

Modes: ok, truncate (half of the body that was announced), oversize (an endless body), error (500).
Each answer is a line "STATUS" of FOLDER/log.
"""

import hashlib
import http.server
import os
import ssl
import sys

PORT, CERT, KEY, FOLDER = int(sys.argv[1]), *sys.argv[2:]


def read(name):
    with open(os.path.join(FOLDER, name), "rb") as stream:
        return stream.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        mode, body = read("mode").decode().strip(), read("document")
        etag = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
        status = 200
        if mode == "error":
            status, body = 500, b"out of order\n"
        elif mode == "ok" and self.headers.get("If-None-Match") == etag:
            status, body = 304, b""
        with open(os.path.join(FOLDER, "log"), "a", encoding="ascii") as log:
            log.write("%d\n" % status)
        self.send_response(status)
        if mode == "oversize":
            self.send_header("Connection", "close")
        elif status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", etag)
        self.end_headers()
        self.close_connection = mode != "ok"
        if mode == "truncate":
            body = body[: len(body) // 2]
        try:
            while mode == "oversize":
                self.wfile.write(b"#" * 65536)
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, format, *args):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERT, KEY)
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
server.daemon_threads = True
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
