"""A webhook as a program of its own: denies ConfigMaps with the key `bad`; ends when its standard input does."""

import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        bad = "bad" in ((request.get("object") or {}).get("data") or {})
        response = {"uid": request["uid"], "allowed": not bad, "warnings": ["seen by the hook"]}
        if bad:
            response["status"] = {"message": f"not for {request['userInfo']['username']}"}
        body = json.dumps({"kind": review["kind"], "apiVersion": review["apiVersion"], "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    folder = sys.argv[1]
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{folder}/serving.crt", f"{folder}/serving.key")
    server = ThreadingHTTPServer(("0.0.0.0", 0), Hook)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


main()
