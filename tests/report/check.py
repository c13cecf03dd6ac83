"""Shows reports to a browser, and fails where a reader of them would be let down.

Each HTML file is opened in headless Chromium on a desktop, on a phone and in the dark, and printed on A4 and Letter. It fails

* on any message of the console, exception, dialog or violation of the file's own policy;
* on any request but the one for the file itself;
* where the page moves sideways on a phone, or an element sticks out of it;
* where an element was made of somebody's text: no script, picture, frame, form or event handler is in a report;
* where a hostile text that is given is not there as text;
* where text has too little contrast with what it stands on, in either scheme;
* where page one on paper is not the front of the report, alone (unless told `--no-paper`: hundreds of pages take minutes).

Pictures of all of it are left in FOLDER, for people to look at.

Usage: check.py FOLDER FILE... [--no-paper] [--text TEXT]..., where FOLDER may be new.
"""

import argparse
import base64
import io
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pypdf
import websocket

# In seconds. Six hundred pages are printed within it on a slow and busy machine as well; a page is drawn in a second or two.
PATIENCE = 300

# What is asked of the page. It runs in a world of its own that the page's policy does not reach.
LOOK = """(() => {
  // What is out of sight is not laid out until somebody scrolls there; here everything is looked at.
  for (const part of document.querySelectorAll('.part')) part.style.contentVisibility = 'visible';
  const wide = document.documentElement.clientWidth;
  const framed = (element) => element.closest('.scroll, svg, .skip, .patterns') !== null;
  const out = [];
  for (const element of document.body.querySelectorAll('*')) {
    if (framed(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.right > wide + 1 || box.left < -1) out.push(element.tagName + '.' + element.className);
  }
  const handlers = [...document.querySelectorAll('*')].filter((element) =>
    [...element.attributes].some((attribute) => attribute.name.startsWith('on')));
  return JSON.stringify({
    text: document.body.innerText,
    title: document.title,
    wide, whole: document.documentElement.scrollWidth,
    out: out.slice(0, 5),
    foreign: document.querySelectorAll('script,img,iframe,object,embed,form,input,button,base,audio,video,foreignObject').length,
    handlers: handlers.length,
    headings: [...document.querySelectorAll('h1')].length,
    front: [...document.querySelectorAll('.front h2')].map((heading) => heading.textContent),
    later: document.querySelector('.contents h2, .chapter h2')?.textContent ?? null,
    unnamed: [...document.querySelectorAll('table')].filter((table) => !table.caption && !document.getElementById(table.getAttribute('aria-labelledby'))).length,
    mute: [...document.querySelectorAll('svg[role=img]')].filter((chart) => !chart.querySelector('title')?.textContent || !chart.querySelector('desc')?.textContent).length,
  });
})()"""

# The least contrast of any text with the ground that it stands on, by the formula of WCAG 2.
CONTRAST = """(() => {
  const parse = (color) => { const parts = color.match(/[\\d.]+/g).map(Number); return parts.length < 4 ? [...parts, 1] : parts; };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color[3] > 0.99) return color;
    }
    return [255, 255, 255, 1];
  };
  const poor = {};
  for (const element of [...document.body.querySelectorAll('*')].slice(0, 20000)) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest('title, desc, .patterns')) continue;
    const style = getComputedStyle(element);
    const color = parse(element.ownerSVGElement ? style.fill : style.color);
    const [a, b] = [light(color), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor[element.tagName + '.' + (element.getAttribute('class') ?? '')] = ratio.toFixed(2);
  }
  return JSON.stringify(poor);
})()"""


class Browser:
    """Headless Chromium, spoken to through its debugging protocol."""

    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            sys.exit("no Chromium: install the package `chromium`")
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        command += ["--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update"]
        command += ["--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={self.profile.name}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self.port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=PATIENCE, max_size=None)
        self.numbers = itertools.count(1)
        self.events = []
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"]:
            self.call(f"{domain}.enable")

    def port(self):
        """Returns the port that the browser chose, as soon as it has written it down."""
        note = Path(self.profile.name) / "DevToolsActivePort"
        for _ in range(PATIENCE * 10):
            if self.process.poll() is not None:
                sys.exit(f"Chromium ended with {self.process.returncode}")
            if note.exists() and note.read_text().strip():
                return int(note.read_text().splitlines()[0])
            time.sleep(0.1)
        sys.exit("Chromium did not say where it listens")

    def call(self, method, **parameters):
        """Sends a command, and returns its result; events that come in between are kept."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    sys.exit(f"{method}: {message['error']}")
                return message["result"]
            self.hear(message)

    def hear(self, message):
        self.events.append(message)
        # A dialog would hold everything up.
        if message.get("method") == "Page.javascriptDialogOpening":
            self.socket.send(json.dumps({"id": next(self.numbers), "method": "Page.handleJavaScriptDialog", "params": {"accept": False}}))

    def open(self, address):
        """Shows the page, and returns what happened until it was loaded."""
        self.events = []
        self.call("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.hear(json.loads(self.socket.recv()))
        # What is reported late is reported by the time the next two commands are answered.
        self.ask("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200)))")
        return self.events

    def ask(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            sys.exit(f"the question to the page failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def size(self, width, height, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self, path, whole=False):
        """Takes a picture of what is in sight, or of the page down to a bounded depth."""
        options = {"format": "png"}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            options |= {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", **options)["data"]))

    def paper(self, width, height):
        """Prints, and returns the PDF; sizes are inches."""
        options = {"paperWidth": width, "paperHeight": height, "printBackground": True, "preferCSSPageSize": False, "transferMode": "ReturnAsStream"}
        stream = self.call("Page.printToPDF", **options)["stream"]
        pdf = b""
        while True:
            part = self.call("IO.read", handle=stream)
            pdf += base64.b64decode(part["data"]) if part.get("base64Encoded") else part["data"].encode()
            if part["eof"]:
                self.call("IO.close", handle=stream)
                return pdf

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.profile.cleanup()


def complaints(events, address):
    """Returns what the browser had to say that it should not have had to."""
    found = []
    for event in events:
        method, told = event.get("method"), event.get("params", {})
        if method == "Log.entryAdded":
            found.append(f"{told['entry']['level']}: {told['entry']['text']}")
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Page.javascriptDialogOpening", "Page.windowOpen"):
            found.append(f"{method}: {json.dumps(told)[:200]}")
        elif method == "Audits.issueAdded":
            found.append(f"issue: {json.dumps(told)[:300]}")
        elif method == "Network.requestWillBeSent" and told["request"]["url"] not in (address, "data:,"):
            found.append(f"a request for {told['request']['url']}")
    return found


def on_page(page):
    """The text of a page on paper, without its number."""
    return re.sub(r"^\d+/\d+|\d+/\d+$", "", squeezed(page.extract_text()))


def squeezed(text):
    """Text without its blanks: a browser breaks lines where it likes."""
    return "".join(text.split())


def check(browser, path, pictures, texts=(), paper=True):
    """Returns what is wrong with one report; leaves pictures of it."""
    address = path.resolve().as_uri()
    wrong = []
    pictures.mkdir(parents=True, exist_ok=True)
    name = path.stem
    views = [("desktop", 1280, 900, False, "light"), ("phone", 360, 780, True, "light"), ("dark", 1280, 900, False, "dark"), ("phone-dark", 360, 780, True, "dark")]
    seen = {}
    for view, width, height, phone, scheme in views:
        browser.size(width, height, phone)
        browser.scheme(scheme)
        started = time.monotonic()
        events = browser.open(address)
        took = time.monotonic() - started
        wrong += [f"{view}: {complaint}" for complaint in complaints(events, address)]
        seen = json.loads(browser.ask(LOOK))
        if seen["whole"] > width or seen["out"]:
            wrong.append(f"{view}: the page is {seen['whole']} wide where there is room for {width}: {seen['out']}")
        if seen["foreign"] or seen["handlers"]:
            wrong.append(f"{view}: {seen['foreign']} foreign elements, {seen['handlers']} handlers")
        if seen["headings"] != 1 or not seen["title"]:
            wrong.append(f"{view}: {seen['headings']} main headings, title {seen['title']!r}")
        if seen["unnamed"] or seen["mute"]:
            wrong.append(f"{view}: {seen['unnamed']} tables without a name, {seen['mute']} charts without words")
        poor = json.loads(browser.ask(CONTRAST))
        if poor:
            wrong.append(f"{view}: too little contrast: {poor}")
        wrong += [f"{view}: not shown as text: {text!r}" for text in texts if squeezed(text) not in squeezed(seen["text"])]
        browser.picture(pictures / f"{name}-{view}.png")
        browser.picture(pictures / f"{name}-{view}-whole.png", whole=True)
        print(f"{name} {view}: {took:.1f} s, {len(wrong)} faults so far", flush=True)
    if paper:
        wrong += on_paper(browser, pictures / name, seen)
    return wrong


def on_paper(browser, path, seen):
    """Prints the page that is open: page one holds the front and nothing else."""
    wrong = []
    for size, width, height in [("A4", 8.27, 11.69), ("Letter", 8.5, 11)]:
        pdf = browser.paper(width, height)
        path.with_name(f"{path.name}-{size}.pdf").write_bytes(pdf)
        pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
        first = on_page(pages[0])
        for heading in seen["front"]:
            if squeezed(heading) not in first:
                wrong.append(f"{size}: page one lacks {heading!r}")
        later = seen["later"] and squeezed(seen["later"])
        if later:
            second = on_page(pages[1]) if len(pages) > 1 else ""
            if later in first and second or not second.startswith(later):
                wrong.append(f"{size}: page two does not begin with {seen['later']!r}: {second[:60]!r}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description="Shows reports to a browser.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--text", action="append", default=[], help="what the reports must show, as it is")
    parser.add_argument("--no-paper", action="store_true", help="do not print")
    given = parser.parse_args()
    browser = Browser()
    try:
        wrong = {path: check(browser, path, given.folder, given.text, not given.no_paper) for path in given.files}
    finally:
        browser.close()
    for path, faults in wrong.items():
        for fault in faults[:30]:
            print(f"{path}: {fault}", file=sys.stderr)
    if any(wrong.values()):
        sys.exit(1)
    print("the reports are shown as they should be")


if __name__ == "__main__":
    main()
