"""Certificates of a test cluster, made as an operator makes them."""

import os

from troupe_node import run


def make_certificates(binary, folder, nodes):
    """`troupe certs` for every node; returns the section of the manifest that names the files."""
    certs = os.path.join(folder, "certs")
    for words in (["init", "--cluster", "test"], *(["node", node] for node in nodes)):
        made = run(binary, "certs", *words, "--dir", certs)
        assert made.returncode == 0, made.stderr
    return f"""[cluster.tls]
authority = "{certs}/authority.pem"
certificate = "{certs}/nodes/{{node}}.pem"
key = "{certs}/nodes/{{node}}.key"
revoked = "{certs}/revoked.pem"
"""
