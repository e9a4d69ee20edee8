"""Headless Chromium, driven by the DevTools protocol over a pipe: JSON messages that end with a zero
byte, on the browser's file descriptors 3 and 4. Nothing but Python's standard library."""

import base64
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-extensions", "--hide-scrollbars", "--mute-audio",
    "--force-device-scale-factor=1", "--remote-debugging-pipe",
]
KEY_CODES = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
             "ArrowDown": 40}


class Browser:
    """One browser with one page. Raises TimeoutError when it does not answer."""

    def __init__(self, width=1400, height=900, timeout_s=60):
        binary = shutil.which("chromium")
        if binary is None:
            raise SystemExit("chromium is missing; run ./dev setup")
        self.timeout_s = timeout_s
        self.events = []  # everything that the browser told without being asked
        self._replies = {}
        self._told = threading.Condition()
        self._ended = False
        self._number = 0
        self._session = None
        self._profile = tempfile.mkdtemp(prefix="troupe-browser-")
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()

        # The two ends that the browser gets must be 3 and 4 there, whatever they are here. Copies
        # first: one of them may be 3 or 4 itself.
        def place():
            read, write = (fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (to_browser, from_browser))
            os.dup2(read, 3)
            os.dup2(write, 4)
            os.close(read)
            os.close(write)

        self._process = subprocess.Popen(
            [binary, *FLAGS, f"--window-size={width},{height}", f"--user-data-dir={self._profile}",
             "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=place, close_fds=False, start_new_session=True)
        os.close(to_browser)
        os.close(from_browser)
        threading.Thread(target=self._read, daemon=True).start()
        pages = [target for target in self._call("Target.getTargets")["targetInfos"]
                 if target["type"] == "page"]
        self._session = self._call("Target.attachToTarget", targetId=pages[0]["targetId"],
                                   flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)  # its own group: it and its children
        except ProcessLookupError:
            pass
        self._process.wait()
        os.close(self._out)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _read(self):
        rest = b""
        while chunk := os.read(self._in, 1 << 16):
            *messages, rest = (rest + chunk).split(b"\0")
            with self._told:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self._replies[message["id"]] = message
                    else:
                        self.events.append(message)
                self._told.notify_all()
        with self._told:
            self._ended = True
            self._told.notify_all()

    def _wait(self, what, ready):
        with self._told:
            if not self._told.wait_for(lambda: self._ended or ready(), self.timeout_s):
                raise TimeoutError(f"no answer to {what} within {self.timeout_s} s")
            if not ready():
                raise EOFError(f"the browser ended before it answered {what}")

    def _call(self, method, **parameters):
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        self._wait(method, lambda: number in self._replies)
        reply = self._replies.pop(number)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    def told(self, method):
        with self._told:
            return [event["params"] for event in self.events if event["method"] == method]

    def open(self, url):
        """Loads a page and waits until its scripts have run."""
        loaded = len(self.told("Page.loadEventFired"))
        self._call("Page.navigate", url="about:blank")
        self._wait("about:blank", lambda: sum(
            event["method"] == "Page.loadEventFired" for event in self.events) > loaded)
        self.events.clear()
        self._call("Page.navigate", url=url)
        self._wait(url, lambda: any(
            event["method"] == "Page.loadEventFired" for event in self.events))

    def run(self, script):
        """The value of a JavaScript expression; a promise is awaited."""
        result = self._call("Runtime.evaluate", expression=script, returnByValue=True,
                            awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, script):
        """Until an expression is true. It is asked as often as the browser draws."""
        deadline = time.monotonic() + self.timeout_s
        while not self.run(f"new Promise(done => requestAnimationFrame(() => done(!!({script}))))"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not so within {self.timeout_s} s: {script}")

    def press(self, key):
        text = key if len(key) == 1 else ""
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key,
                       text=text if kind == "keyDown" else "",
                       windowsVirtualKeyCode=KEY_CODES.get(key, 0))

    def type(self, text):
        for key in text:
            self.press(key)

    def click(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                       clickCount=1, buttons=1 if kind == "mousePressed" else 0)

    def point(self, x, y):
        self._call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def scheme(self, name):
        self._call("Emulation.setEmulatedMedia",
                   features=[{"name": "prefers-color-scheme", "value": name}])

    def screenshot(self, path):
        data = self._call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def errors(self):
        """Exceptions, errors in the log, and refusals of the page's security policy."""
        found = [one["exceptionDetails"]["exception"].get("description", "?")
                 for one in self.told("Runtime.exceptionThrown")]
        found += [one["entry"]["text"] for one in self.told("Log.entryAdded")
                  if one["entry"]["level"] == "error"]
        return found

    def requests(self):
        return [one["request"]["url"] for one in self.told("Network.requestWillBeSent")]
