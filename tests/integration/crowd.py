"""Crowds of hostile clients: thousands of sockets that one thread drives, and an honest client beside them."""

import resource
import selectors
import socket
import struct
import threading
import time

from troupe_node import Connection


def raise_descriptor_limit():
    """To the hard one, for this process and what it starts; returns it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def endpoint(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


class Idle:
    """Connections that say nothing. `some`: it is fine if not all are taken."""

    def __init__(self, address, count, wrap=None, some=False):
        self.sockets = []
        for _ in range(count):
            try:
                one = socket.create_connection(endpoint(address), timeout=30)
            except ConnectionError:
                if not some:
                    raise
                continue
            self.sockets.append(wrap(one) if wrap else one)

    def still_open(self):
        """How many the other side has not closed."""
        count = 0
        for one in self.sockets:
            one.setblocking(False)
            try:
                count += bool(one.recv(1, socket.MSG_PEEK))
            except BlockingIOError:
                count += 1
            except OSError:
                pass
        return count

    def close(self):
        for one in self.sockets:
            one.close()
        self.sockets = []


class Attacker:
    """One connection: what it says at once, what it then says byte by byte, and what it got."""

    def __init__(self, name, address, at_once=b"", byte_by_byte=b""):
        self.name, self.address = name, address
        self.at_once, self.slowly = at_once, byte_by_byte
        self.got = b""
        self.began = self.ended = None

    def lasted(self):
        return self.ended - self.began if self.ended else None


def attack(attackers, seconds, every=0.05):
    """Drives them until the other side has closed all, or the time is over."""
    selector = selectors.DefaultSelector()
    for one in attackers:
        one.socket = socket.create_connection(endpoint(one.address), timeout=30)
        one.began = time.monotonic()
        one.socket.setblocking(False)
        try:
            sent = one.socket.send(one.at_once) if one.at_once else 0
            one.slowly = one.at_once[sent:] + one.slowly
        except OSError:
            pass
        selector.register(one.socket, selectors.EVENT_READ, one)

    def end(one):
        one.ended = time.monotonic()
        selector.unregister(one.socket)
        one.socket.close()

    deadline = time.monotonic() + seconds
    next_byte = time.monotonic()
    while selector.get_map() and time.monotonic() < deadline:
        for key, _ in selector.select(max(0.0, next_byte - time.monotonic())):
            try:
                got = key.fileobj.recv(65536)
                key.data.got += got
            except BlockingIOError:
                continue
            except OSError:
                got = b""
            if not got:
                end(key.data)
        if time.monotonic() < next_byte:
            continue
        next_byte += every
        for key in list(selector.get_map().values()):
            one = key.data
            if not one.slowly:
                continue
            try:
                one.socket.send(one.slowly[:1])
                one.slowly = one.slowly[1:]
            except BlockingIOError:
                pass
            except OSError:
                end(one)
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    selector.close()


class Honest:
    """A client that deposits and reads, on a connection that it keeps and now and then on a new one."""

    def __init__(self, gateway, account, connect=None):
        self.gateway, self.account = gateway, account
        self.connect = connect or (lambda: Connection(self.gateway))
        self.answers, self.failures, self.longest = 0, [], 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        connection = self.connect()
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                if self.answers % 20 == 19:
                    connection.close()
                    connection = self.connect()
                if self.answers % 2:
                    answer = connection.call("GET", f"/v1/accounts/{self.account}")
                else:
                    answer = connection.call("POST", f"/v1/accounts/{self.account}:deposit",
                                             {"amount": {"currency": "EUR", "minorUnits": "1"}})
                if answer.status != 200:
                    self.failures.append(answer.text)
            except Exception as failure:  # whatever it is, it is what the client saw
                self.failures.append(repr(failure))
                connection = self.connect()
            self.answers += 1
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.002)
        connection.close()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(60)


def header(name, value):
    """One of HPACK (RFC 7541, section 6.2.2) without an index and without Huffman's code."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def grpc_health(address, timeout=10):
    """The status that grpc.health.v1.Health/Check answers, from the bytes of HTTP/2; 1: it serves."""
    headers = b"".join(header(*pair) for pair in (
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/grpc.health.v1.Health/Check"),
        (b":authority", b"test"), (b"content-type", b"application/grpc"), (b"te", b"trailers")))
    with socket.create_connection(endpoint(address), timeout=timeout) as one:
        one.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 4, 1, headers) +
                    frame(0, 1, 1, b"\0\0\0\0\0"))
        read = one.makefile("rb")
        while True:
            head = read.read(9)
            if len(head) < 9:
                raise ConnectionError("gRPC's connection ended without an answer")
            payload = read.read(int.from_bytes(head[:3], "big"))
            if head[3] == 0 and payload:  # DATA: a message of gRPC, whose only field is the status
                return payload[6]
