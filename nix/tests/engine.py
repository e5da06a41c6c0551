"""An OpenAI-compatible engine for tests: streams `max_tokens` numbers, ten a second.

Usage: engine.py ADDRESS, where ADDRESS is the path of a Unix socket or a port of the loopback interface.
"""

import json
import os
import socket
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler

PAUSE_S = 0.1


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer({"object": "list", "data": [{"id": "numbers", "object": "model"}]})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        words = [f"{i} " for i in range(request.get("max_tokens", 3))]
        if not request.get("stream"):
            message = {"role": "assistant", "content": "".join(words)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self.answer({"id": "a", "object": "chat.completion", "created": 0, "model": "numbers", "choices": [choice]})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for word in words:
            choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
            chunk = {"id": "a", "object": "chat.completion.chunk", "created": 0, "model": "numbers", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            time.sleep(PAUSE_S)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def answer(self, value: dict) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        # a Unix socket has no address
        return "client"


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True


class UnixServer(Server):
    address_family = socket.AF_UNIX


def main() -> None:
    address = sys.argv[1]
    if address.isdigit():
        server: Server = Server(("127.0.0.1", int(address)), Handler)
    else:
        if os.path.exists(address):
            os.unlink(address)
        server = UnixServer(address, Handler)
    server.serve_forever()


if __name__ == "__main__":
    main()
