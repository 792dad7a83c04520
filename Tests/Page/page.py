"""The page in a real browser, over a real daemon."""

import contextlib
import json
import re
import time

from axe_playwright_python.sync_playwright import Axe

from browser import browser
from scene import Scene

# As hostile as the names of files can be; each ends up in the list of what is to be mended.
HOSTILE = [
    "<script>document.title='owned'</script>.json",
    "<img src=x onerror=\"document.title='owned'\">.json",
    "\"quotes\" & 'more' & &amp; `ticks` $(touch x).json",
    "from right \u202eto left nosj..json",
    "line\nbreak \x1b[31mred.json",
    "مانيفست.json",
    "x" * 240 + ".json",
]


def groups(programs):
    yield watching(programs)


class View:
    """One tab, and all that it complained of or asked for."""

    def __init__(self, chromium, address, width=1180, scheme="light", **options):
        self.context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, permissions=["clipboard-read", "clipboard-write"], **options)
        self.context.set_default_timeout(15_000)
        self.page = self.context.new_page()
        self.complaints, self.asked, self.address = [], [], address
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append("a dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.add_init_script("addEventListener('securitypolicyviolation', event => console.error('policy: ' + event.violatedDirective))")
        self.page.goto(address + "/")
        self.page.wait_for_selector("#live[data-on=yes]")

    def text(self, selector):
        return self.page.locator(selector).first.inner_text()

    def until(self, expression):
        """Looks from outside, since the page's policy lets nobody evaluate a string inside."""
        deadline = time.monotonic() + 15
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"not within 15 s: {expression}"
            self.page.wait_for_timeout(50)

    def close(self):
        self.context.close()


@contextlib.contextmanager
def watching(programs):
    with browser() as chromium, Scene(programs, task_delay="2500ms") as scene:
        scene.start()
        scene.settings = re.sub('listen: "[^"]*"', f'listen: "127.0.0.1:{scene.port}"', scene.settings)
        view = View(chromium, scene.address)
        page = view.page
        page.evaluate("window.loaded = 'once'")

        def empty():
            assert "Nothing is moving. No file was dropped yet." in view.text("#empty")
            assert "datarowctl drop FILE --watch cats" in view.text("#empty-commands")
            assert view.text("#state") == "Running" and view.text("#g-oldest") == "none"
            assert page.locator("#failures-none").is_visible() and page.locator("#tasks-none").is_visible()

        def live():
            scene.drop("cats", "nested/rows.ndjson", scene.rows(2500))
            item = page.locator("#moving > li", has_text="nested/rows.ndjson")
            item.wait_for()
            bar = page.get_by_role("progressbar", name="nested/rows.ndjson in cats")
            view.until("document.querySelector('#moving progress')?.value > 0")
            assert 0 < float(bar.get_attribute("value") or bar.evaluate("bar => bar.value")) < 100
            assert "of 2,500 rows" in item.inner_text() and "Importing" in item.inner_text()
            assert page.locator("#tasks > tr").count() == 1 and "1 moving" in page.title()
            item.wait_for(state="detached")
            view.until("document.querySelector('#watches td[data-label=Rows]').textContent === '2,500'")
            assert "Everything that was dropped has ended." in view.text("#empty")
            view.until("document.querySelector('#announcer').textContent === 'Everything that was moving has ended.'")
            assert page.evaluate("window.loaded") == "once"

        def plotted():
            for name in ("Rows", "Sent", "Requests"):
                label = page.get_by_role("img", name=re.compile(f"^{name} over the last hour: ")).get_attribute("aria-label")
                assert "now " in label, label
            view.until("/at most [1-9]/.test(document.querySelector('#plot-requests svg').getAttribute('aria-label')) || /now [1-9]/.test(document.querySelector('#plot-requests svg').getAttribute('aria-label'))")
            assert "limit 1,200" in page.locator("#plot-requests svg").get_attribute("aria-label")
            # A page that is opened later has the hour as well.
            # Rows are counted when the daemon writes its status, once a second at most.
            history = scene.until(lambda: sum((now := json.loads(scene.ask("/history.json")[2]))["rows"]) == 2500 and now, 10, "all rows are in the hour")
            assert sum(history["requests"]) > 4 and sum(history["bytes"]) > 300_000, (sum(history["requests"]), sum(history["bytes"]))
            assert len(history["rows"]) == 360

        def hostile():
            for name in HOSTILE:
                scene.drop("dogs", name, '[{"row_data": "https://images.example/1.jpg", "<b>bold</b>": 1}]')
            view.until(f"document.querySelectorAll('#failures > li').length === {len(HOSTILE)}")
            names = page.locator("#failures h3 bdi").all_inner_texts()
            assert {HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[5], HOSTILE[6]} <= set(names), names
            # What would turn the rest of the line around, or end it, is shown and not done.
            assert r"from right \u{202e}to left nosj..json" in names and r"line\nbreak \u{1b}[31mred.json" in names, names
            assert page.locator("main script, main img, main b, main iframe").count() == 0
            assert "owned" not in page.title()

        def mending():
            item = page.locator("#failures > li", has=page.get_by_text(HOSTILE[2], exact=True))
            item.locator("summary").click()
            commands = item.locator("code").all_inner_texts()
            quoted = HOSTILE[2].replace("'", r"'\''")
            assert commands[0] == f"datarowctl status 'dogs:{quoted}'", commands
            item.get_by_role("button").first.click()
            view.until("document.querySelector('#failures button').textContent === 'Copied' || [...document.querySelectorAll('button')].some(b => b.textContent === 'Copied')")
            assert page.evaluate("navigator.clipboard.readText()") == commands[0]
            # A name that no terminal shows as it is makes no command.
            odd = page.locator("#failures > li", has_text="line\\nbreak")
            assert odd.locator("code").count() == 0

        def keyboard():
            page.evaluate("scrollTo(0, 0)")
            # Where there is nothing: it begins from there.
            page.mouse.click(2, 2)
            seen = []
            for _ in range(60):
                page.keyboard.press("Tab")
                focus = page.evaluate("""() => {
                    const node = document.activeElement, style = getComputedStyle(node), box = node.getBoundingClientRect();
                    return {what: node.tagName + ' ' + (node.getAttribute('aria-label') ?? node.textContent).trim().slice(0, 40), tag: node.tagName,
                            outline: parseFloat(style.outlineWidth), top: box.top + scrollY, left: box.left, id: node.id};
                }""")
                if focus["tag"] == "BODY" or focus["what"] in [one["what"] for one in seen[:1]]:
                    break
                assert focus["outline"] >= 2 or focus["id"] == "main", focus
                seen.append(focus)
            tags = [one["tag"] for one in seen]
            assert seen[0]["what"].startswith("A Skip") and tags[-3:] == ["A", "A", "A"] and "SUMMARY" in tags and "BUTTON" in tags, seen
            # In the order in which it is read.
            tops = [one["top"] for one in seen[1:]]
            assert all(later >= earlier - 40 for earlier, later in zip(tops, tops[1:])), tops
            page.evaluate("scrollTo(0, 0)")
            # Where there is nothing: it begins from there.
            page.mouse.click(2, 2)
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.id") == "main"
            # What has the focus keeps it while figures change.
            page.locator("#failures summary").last.focus()
            before = scene.page()["now"]
            scene.drop("cats", "again.ndjson", scene.rows(20, of="again"))
            page.locator("#moving > li", has_text="again.ndjson").wait_for()
            page.locator("#moving > li", has_text="again.ndjson").wait_for(state="detached")
            assert page.evaluate("document.activeElement.tagName") == "SUMMARY" and scene.page()["now"] > before

        def crowded():
            # A write for each, and one that waits: sixty manifests that name what is not there.
            for number in range(60):
                scene.drop("dogs", f"waiting/{number:02}-{'y' * 150}.ndjson", f'{{"row_data": "./nowhere-{number}.jpg"}}\n')
            view.until("document.querySelectorAll('#moving > li').length === 50 && /And 10 more manifests/.test(document.querySelector('#moving-more').textContent)")
            assert view.text("#moving-count") == "60" and "Waits for media" in view.text("#moving > li")
            assert len(scene.ask("/page.json")[2]) < 200_000

        def themes():
            colours = set()
            for width, scheme in ((1180, "light"), (1180, "dark"), (390, "light"), (320, "dark")):
                other = View(chromium, scene.address, width, scheme, reduced_motion="reduce")
                other.page.wait_for_selector("#failures > li")
                other.page.locator("summary").first.click()
                sizes = other.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
                assert sizes[0] <= sizes[1], (width, sizes)
                wide = other.page.evaluate("""() => [...document.querySelectorAll('main *')].filter(node => !node.closest('svg, .unseen, thead, .small') && node.getBoundingClientRect().right > innerWidth + 1)
                    .map(node => node.tagName + '.' + node.className).slice(0, 5)""")
                assert not wide, (width, wide)
                # The word in every coloured mark says the same as its colour, and its shape too.
                assert other.page.evaluate("[...document.querySelectorAll('.badge')].every(node => node.hidden || (node.textContent.trim() && node.querySelector('svg use')))")
                assert other.page.evaluate("document.getAnimations().length") == 0
                colours.add(other.page.evaluate("getComputedStyle(document.body).backgroundColor"))
                found = Axe().run(other.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).response
                assert found["passes"] and not found["violations"], [(v["id"], v["nodes"][0]["html"][:200], v["nodes"][0].get("failureSummary")) for v in found["violations"]]
                mine = [text for text in other.complaints if "policy" in text or "Error" in text]
                assert not mine, mine
                other.close()
            assert len(colours) == 2, colours

        def structure():
            # As the browser tells it to a screen reader.
            tree = page.locator("body").aria_snapshot()
            for part in ("banner", "main", "contentinfo", 'navigation "For programs"', 'heading "datarowd" [level=1]', 'heading "Last hour" [level=2]', 'progressbar "Share of the request budget that is used"',
                         "table", 'columnheader "Oldest unfinished"', 'rowheader "cats', "status"):
                assert part in tree, (part, tree[:3000])

        def blocked():
            (scene.root / "key").write_text("a-wrong-key\n")
            scene.drop("cats", "refused.ndjson", scene.rows(5, of="refused"))
            page.locator("#notice").wait_for()
            assert view.text("#state") == "Blocked" and view.text("#notice-title") == "Blocked" and "key" in view.text("#notice-advice")
            assert page.title().startswith("Blocked: ") and "datarowd is now blocked" in page.locator("#announcer").inner_text()
            assert scene.ask("/healthz")[0] == 503 and "a-wrong-key" not in page.content()
            (scene.root / "key").write_text("test-key\n")

        def harmless():
            assert not view.complaints, view.complaints
            assert view.asked and all(url.startswith(scene.address + "/") or url.startswith("data:") for url in view.asked), set(view.asked)
            assert {url.removeprefix(scene.address) for url in view.asked if not url.startswith("data:")} == {"/", "/page.json", "/history.json"}

        def away():
            assert scene.stop() == 0
            view.until("document.querySelector('#live').dataset.on === 'no'")
            assert "Cannot be reached since" in view.text("#live") and view.text("#state") == "Unknown"
            scene.start()
            view.until("document.querySelector('#live').dataset.on === 'yes'")
            assert view.text("#live") == "Live" and page.evaluate("window.loaded") == "once"

        yield [
            ("with nothing to do it says so, and what to do next", empty),
            ("an import shows while it moves, and leaves when it ended, without a reload", live),
            ("the last hour is drawn, told in words, and there for whoever comes later", plotted),
            ("file names and the words of manifests stay text, whatever is in them", hostile),
            ("what is to be mended comes with commands that can be pasted, whatever the name", mending),
            ("every control is reached by the keyboard, in the order of reading, and shows that it is", keyboard),
            ("of many manifests the first fifty are shown, and how many more there are", crowded),
            ("light and dark, desktop and phone: nothing sideways, nothing that axe objects to", themes),
            ("landmarks, headings, tables and progress have their roles and names", structure),
            ("when Labelbox refuses the account it says so, at the top and aloud", blocked),
            ("nothing is fetched from elsewhere, and the browser has nothing to complain of", harmless),
            ("when the daemon is away it says so, and goes on when it is back", away),
        ]
        view.close()
