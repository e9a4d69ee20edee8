#!/usr/bin/env python3
"""The trace page in headless Chromium: what is there to read, what filters hide, keys, themes."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback
import unittest

from browser import Browser

OPTIONS = None
SCREENSHOTS = os.environ.get("TROUPE_SCREENSHOTS")  # a folder: every test leaves a picture there

# The events in view, as a screen reader has them; the list follows the picture a moment later.
ROWS = "[...document.querySelectorAll('#rows li')].map(row => row.textContent)"
HOSTILE = "</script><img src=x onerror=\"document.title='broken'\">&amp;"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        cls.folder.cleanup()

    def open(self, kind, address=""):
        path = pathlib.Path(self.folder.name, f"{kind}.html")
        if not path.exists():
            with open(path, "wb") as file:
                subprocess.run([OPTIONS.sample, kind], stdout=file, check=True)
        self.browser.open(path.as_uri() + address)
        self.wait_rows("rows.length > 0")

    def tearDown(self):
        if SCREENSHOTS:
            self.browser.screenshot(os.path.join(SCREENSHOTS, f"{self.id()}.png"))
        self.assertEqual(self.browser.errors(), [])
        self.assertEqual([url for url in self.browser.requests() if not url.startswith("file:")],
                         [], "the page asked for something")

    def wait_rows(self, condition):
        self.browser.wait(f"(rows => {condition})({ROWS})")

    def text(self, selector):
        return self.browser.run(f"document.querySelector({selector!r}).textContent")

    def visible(self, selector):
        return self.browser.run(f"document.querySelector({selector!r}).checkVisibility()")

    def test_a_failed_run_opens_at_its_failure(self):
        self.open("small")
        self.assertEqual(self.text("#title"), "ledger · seed 18446744073709551557")
        self.assertIn("failed: model, at 2.1", self.text("#verdict"))
        self.assertIn("the model says 43", self.text("#what"))
        self.assertTrue(self.visible("#what"))
        self.wait_rows("rows.some(row => row.includes('FAILED: model'))")
        middle = self.browser.run("yOf(failurePosition()) / scroller.clientHeight")
        self.assertTrue(0.2 < middle < 0.9, middle)
        self.assertEqual(self.text("#status"), "92 of 92 events")
        self.assertFalse(self.visible("#dropped"))

    def test_the_run_can_be_repeated_from_what_the_page_says(self):
        self.open("small")
        self.assertIn("troupe simulate ledger --seed 18446744073709551557", self.text("#replay"))
        self.assertIn("partition n2 n1", self.text("#faults"))
        self.assertIn("schedule: pct", self.text("#draw"))

    def test_the_picture_is_drawn(self):
        self.open("small")
        colours = self.browser.run(
            "(() => { const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width,"
            " canvas.height); return new Set(new Uint32Array(data.buffer)).size; })()")
        self.assertGreater(colours, 20)

    def test_the_filter_hides_what_is_about_other_entities(self):
        self.open("small")
        self.browser.press("e")
        self.browser.type("bob")
        self.browser.wait("document.getElementById('status').textContent.match(/^2\\d of 92/)")
        self.browser.run("zoomTo(0)")
        self.wait_rows("rows.some(row => row.includes('Deposit(bob)'))"
                       " && !rows.some(row => row.match(/alice|carol/))")
        # What happened to nodes stays, and so do the messages of bob's requests.
        self.wait_rows("['partition', 'crash', 'POST /v1/accounts/bob', 'FAILED']"
                       ".every(part => rows.some(row => row.includes(part)))")
        self.browser.press("Escape")
        self.browser.wait("document.getElementById('status').textContent === '92 of 92 events'")
        self.browser.run("zoomTo(0)")
        self.wait_rows("rows.some(row => row.includes('alice'))")

    def test_a_kind_of_events_can_be_hidden(self):
        self.open("small")
        self.browser.run("document.querySelector('[data-group=message]').click()")
        self.browser.run("zoomTo(0)")
        self.wait_rows("rows.length > 10 && !rows.some(row => row.includes('bytes'))")
        self.assertIn("hide=message", self.browser.run("location.hash"))

    def test_the_address_carries_the_filter(self):
        self.open("small", "#entity=alice&hide=message,fault&scale=time")
        self.browser.run("zoomTo(0)")
        self.wait_rows("rows.some(row => row.includes('alice'))"
                       " && !rows.some(row => row.match(/bob\\)|partition|bytes/))")
        self.assertEqual(self.browser.run("scale.getAttribute('aria-pressed')"), "true")

    def test_arrow_keys_go_from_event_to_event(self):
        self.open("small")
        self.browser.run("choose(shown[0])")
        seen = [self.text("#details h2")]
        for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
            self.browser.press(key)
            seen.append(self.text("#details"))
        self.assertNotEqual(seen[1], seen[2])
        self.assertEqual(seen[1], seen[3])
        # Right and left stay with an entity, and the event comes into view.
        self.browser.run("choose(shown.find(e => e.entity === 'carol'))")
        for _ in range(12):
            self.browser.press("ArrowRight")
            self.assertIn("entitycarol", self.text("#details"))
        y = self.browser.run("(look(), yOfPoint(view.chosen.from))")
        self.assertTrue(0 <= y <= self.browser.run("scroller.clientHeight"), y)

    def test_a_key_leads_back_to_the_failure(self):
        self.open("large")
        self.browser.press("0")
        self.wait_rows("rows.some(row => row.startsWith('0.0'))")
        self.browser.press("f")
        self.wait_rows("rows.some(row => row.includes('FAILED: model'))")
        self.assertIn("failure", self.text("#details"))

    def test_text_is_found(self):
        self.open("small")
        self.browser.press("/")
        self.browser.type("disk_full")
        self.browser.press("Enter")
        self.assertEqual(self.text("#found"), "1 of 1")
        self.assertIn("shard.refusing", self.text("#details h2"))

    def test_pointing_and_clicking_tell_about_an_event(self):
        self.open("small")
        place = ("(() => { const e = shown.find(one => one.kind === 'crash'); centre(positions[e.from]);"
                 " look(); const box = canvas.getBoundingClientRect();"
                 " return [box.left + lineX(e.lane), box.top + yOfPoint(e.from)]; })()")
        x, y = self.browser.run(place)
        self.browser.point(x, y)
        self.browser.wait("!document.getElementById('tip').hidden")
        self.browser.click(x, y)
        self.browser.wait("view.chosen && view.chosen.node === 'n3'")
        self.assertIn("kindcrash", self.text("#details"))

    def test_nothing_of_the_run_becomes_markup(self):
        self.open("hostile")
        self.assertEqual(self.browser.run("document.querySelectorAll('img').length"), 0)
        self.assertEqual(self.browser.run("document.querySelectorAll('script').length"), 2)
        self.assertEqual(self.browser.run("document.title"),
                         f"FAILED {HOSTILE} · seed 18446744073709551557")
        self.browser.run(f"choose(shown.find(e => e.name === {HOSTILE!r}))")
        self.assertIn(HOSTILE, self.text("#details pre"))
        self.assertEqual(self.text("#details h2"), HOSTILE)
        self.browser.run(f"document.getElementById('entity').value = {HOSTILE!r}; relayOut()")
        self.browser.wait("document.getElementById('status').textContent.match(/^[1-8]\\d of 93/)")
        # The lane of that name, its tooltip, the list of rows.
        self.assertIn(HOSTILE, self.browser.run(
            "[...document.querySelectorAll('#lanes b')].map(title => title.textContent)"))
        self.browser.run("document.getElementById('tip').textContent = view.chosen?.name || ''")
        self.assertEqual(self.browser.run("document.querySelectorAll('img').length"), 0)

    def test_a_run_that_held_says_so(self):
        self.open("passed")
        self.assertEqual(self.text("#verdict"), "every check held")
        self.assertTrue(self.browser.run("document.getElementById('jump').disabled"))
        self.browser.press("f")
        self.assertFalse(self.visible("#what"))

    def test_a_page_of_a_long_run_says_what_is_missing_and_stays_quick(self):
        self.open("endless")
        self.assertTrue(self.visible("#dropped"))
        self.assertIn("the last 20,000", self.text("#dropped"))
        # Only what is in view is drawn, and no pixel over and over: a frame takes a few ms. The bound
        # is wide, because a test may share its machine.
        for zoom in (18, 2, 0):
            self.browser.run(f"zoomTo({zoom})")
            took = self.browser.run("(() => { const began = performance.now(); draw(); draw(); draw();"
                                    " return (performance.now() - began) / 3; })()")
            self.assertLess(took, 300, f"a frame at zoom {zoom}")

    def test_dark_and_light_have_colours_of_their_own(self):
        papers = []
        for scheme in ("light", "dark"):
            self.browser.scheme(scheme)
            self.open("small")
            papers.append(self.browser.run("getComputedStyle(document.body).backgroundColor"))
            self.assertEqual(self.browser.run("colours.paper"), self.browser.run(
                "getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()"))
        self.assertNotEqual(*papers)

    def test_it_can_be_used_with_the_tab_key_alone(self):
        self.open("small")
        for selector in ("#entity", "#kinds input", "#find", "#scale", "#in", "#jump", "#scroll"):
            self.browser.run(f"document.querySelector({selector!r}).focus()")
            self.assertTrue(self.browser.run(
                f"document.activeElement === document.querySelector({selector!r})"), selector)


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", required=True, help="the program trace_page_sample")
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    try:
        main()
    except (EOFError, TimeoutError):
        traceback.print_exc()
        sys.exit(1)
