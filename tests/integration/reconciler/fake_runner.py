"""A runner of a few lines for tests of its host: it misbehaves as its spec says."""

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

arguments = dict(zip(sys.argv[3::2], sys.argv[4::2], strict=True))  # after `-m ambient_runner`
with open(arguments["--config"]) as file:
    config = json.load(file)
os.unlink(arguments["--config"])
behaviour = config["spec"]["environment_variables"].get("BEHAVIOUR", "")
secret = config["runner_secret"]
print(f"attempt {config['attempt']} in {os.getcwd()}", flush=True)

if behaviour == "crash":
    print(f"cannot go on, my secret is {secret}", flush=True)
    sys.exit(7)
if behaviour in ("stubborn", "mute"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if behaviour == "daemon":  # leaves its group and session, as badly behaved tools do
    subprocess.Popen(["sleep", "600"], start_new_session=True)
if behaviour == "environment":
    print("environment:", json.dumps(sorted(os.environ)), flush=True)
if behaviour == "mute":
    time.sleep(600)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        nonce = parse_qs(urlsplit(self.path).query)["nonce"][0]
        key = "another secret" if behaviour == "liar" else secret
        text = f"{config['session_id']}:{config['generation']}:instance-{os.getpid()}:{nonce}"
        answer = {
            "session_id": config["session_id"],
            "generation": config["generation"],
            "instance": f"instance-{os.getpid()}",
            "proof": hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest(),
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


server = HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(arguments["--fd"]))
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(600))  # alive, but answers no more
if behaviour != "stubborn":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server.serve_forever()
