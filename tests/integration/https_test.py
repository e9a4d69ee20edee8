#!/usr/bin/env python3
"""The gateway over TLS, as browsers and other clients of HTTP see it."""

import http.client
import os
import socket
import ssl
import subprocess

from troupe_node import Connection, Node, NodeDied, manifest, run_tests


def write_certificate(folder, name="server"):
    """A new self-signed certificate for localhost, put in place as a whole, as renewing tools do."""
    files = [os.path.join(folder, name + ending) for ending in (".key", ".pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", files[0] + ".new", "-out", files[1] + ".new"],
                   check=True, capture_output=True, timeout=60)
    os.chmod(files[0] + ".new", 0o600)
    for file in files:
        os.rename(file + ".new", file)
    return files[1]


def https(folder):
    return (f'[gateway.tls]\ncertificate = "{folder}/server.pem"\nkey = "{folder}/server.key"\n')


def trusting(certificate):
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def shown(address, context):
    """What the handshake came to: protocol, ALPN and the certificate's serial number."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as secured:
            return (secured.version(), secured.selected_alpn_protocol(),
                    secured.getpeercert()["serialNumber"])


def call(address, context, path):
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPSConnection(host, int(port), timeout=20, context=context)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def clients_speak_tls_and_nothing_else(binary, folder):
    certificate = write_certificate(folder)
    with Node(binary, manifest(folder, extra=https(folder))).start() as node:
        context = trusting(certificate)
        status, body = call(node.gateway, context, "/openapi.json")
        assert status == 200 and body.startswith('{"openapi"'), (status, body)
        assert shown(node.gateway, context)[:2] == ("TLSv1.3", "http/1.1")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert shown(node.gateway, context)[:2] == ("TLSv1.2", "http/1.1")

        stranger = trusting(certificate)
        stranger.set_alpn_protocols(["h2"])
        for wrong, what in ((stranger, "HTTP/2 alone"), (ssl.create_default_context(), "an authority it lacks")):
            try:
                shown(node.gateway, wrong)
            except (ssl.SSLError, ConnectionError):
                continue
            raise AssertionError(f"a client that wants {what} was served")
        host, port = node.gateway.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as plain:
            plain.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not plain.recv(4096).startswith(b"HTTP/"), "plain text was answered"
        assert call(node.gateway, trusting(certificate), "/v1/accounts/none")[0] == 404
        admin = Connection(node.admin)  # stays plain text
        assert admin.call("GET", "/readyz").status == 200
        admin.close()
        node.stop_in_order()


def a_renewed_certificate_is_used_without_a_restart(binary, folder):
    certificate = write_certificate(folder)
    with Node(binary, manifest(folder, extra=https(folder))).start() as node:
        first = shown(node.gateway, trusting(certificate))[2]
        host, port = node.gateway.rsplit(":", 1)
        old = http.client.HTTPSConnection(host, int(port), timeout=20, context=trusting(certificate))
        old.request("GET", "/openapi.json")
        old.getresponse().read()

        write_certificate(folder)
        second = shown(node.gateway, trusting(certificate))[2]
        assert second != first
        old.request("GET", "/openapi.json")  # the connection lives on
        assert old.getresponse().status == 200
        old.close()

        with open(os.path.join(folder, "server.pem"), "w", encoding="utf-8") as file:
            file.write("broken")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        assert call(node.gateway, context, "/openapi.json")[0] == 200
        node.wait_event("security.reload_failed")
        node.stop_in_order()


def files_that_cannot_be_used_keep_the_node_from_starting(binary, folder):
    write_certificate(folder)
    write_certificate(folder, "other")
    os.replace(os.path.join(folder, "other.key"), os.path.join(folder, "server.key"))
    node = Node(binary, manifest(folder, extra=https(folder)))
    node.spawn()
    try:
        node.wait_event("node.ready", timeout=30)
    except NodeDied as died:
        assert "server.key: is not the key of the certificate" in str(died), died
        return
    finally:
        if node.running():
            node.kill()
    raise AssertionError("it started")


if __name__ == "__main__":
    run_tests(__doc__, [clients_speak_tls_and_nothing_else,
                        a_renewed_certificate_is_used_without_a_restart,
                        files_that_cannot_be_used_keep_the_node_from_starting])
