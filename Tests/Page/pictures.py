"""The pictures of the page: one busy scene in both themes and on a phone, and the empty one."""

import argparse
import json
import pathlib
import random
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Failpoints")]

from browser import browser  # noqa: E402
from scene import DATASET, Scene  # noqa: E402
from shim_of_run import build_shim  # noqa: E402

SPEED = 60


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", default=str(HERE.parent.parent / ".build/release"))
    parser.add_argument("--folder", default=str(HERE.parent.parent / "docs/images"))
    parser.add_argument("--seconds", type=float, default=75, help="how long work goes on before")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    with tempfile.TemporaryDirectory() as shims, browser() as chromium:
        shim = build_shim(shims)
        with Scene(options.programs, task_delay="1500ms", requests_per_minute=300, speed=(SPEED, shim), root="/srv") as scene:
            scene.settings = scene.settings.replace("media_wait: 1h", "media_wait: 6h")
            scene.start()
            shoot(chromium, scene, folder / "page-empty.png", "light", 1180)
            hour(scene, options.seconds)
            busy(scene)
            for name, scheme, width, scale in (("page-light", "light", 1180, 1.5), ("page-dark", "dark", 1180, 1), ("page-phone", "light", 390, 1.5)):
                shoot(chromium, scene, folder / f"{name}.png", scheme, width, scale)


def hour(scene, seconds):
    """Work that comes and goes."""
    dice = random.Random(4)
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        calm = 0.25 if (end - time.monotonic()) % 25 < 8 else 1
        for _ in range(dice.choice([1, 1, 2])):
            number += 1
            scene.drop("cats", f"2026-11/batch-{number:03}.ndjson", scene.rows(int(dice.choice([200, 2000, 6000, 12000]) * calm), of=f"batch {number}"))
        if dice.random() < 0.3 * calm:
            image(scene, "dogs", f"kennel/{number:03}.jpg", int(dice.choice([2, 5, 9, 16]) * dice.uniform(0.5, 1) * 1_000_000), dice)
        time.sleep(dice.uniform(0.3, 1.5) / calm)


def image(scene, watch, name, size, dice):
    scene.drop(watch, name, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + dice.randbytes(size) + b"\xff\xd9")


def busy(scene):
    """What the page has to show of every kind."""
    scene.drop("cats", "2026-11/hand-labelled.json", json.dumps([
        {"row_data": "https://images.example/good.jpg", "attachments": [{"type": "FOTO", "value": "x"}]},
        {"row_data": "s3://bucket/cat.jpg"}, {"row_data": "https://images.example/fine.jpg"}]))
    scene.drop("dogs", "walks/cut-off.json", '[{"row_data": "https://images.example/1.jpg"}, {"row_da')
    scene.drop("dogs", "walks/morning.ndjson", '{"row_data": "./morning-1.jpg"}\n{"row_data": "./morning-2.jpg"}\n')
    scene.until(lambda: scene.page()["failures_total"] >= 2, 20, "what is wrong is told")
    scene.drop("cats", "2026-11/archive-1997-2004.ndjson", scene.rows(240000, of="archive"))
    scene.drop("cats", "2026-11/new-arrivals.ndjson", scene.rows(30000, of="arrival"))
    scene.until(lambda: any(item["rows_ended"] > 0 and item["rows_total"] == 240_000 and 0.4 < item["progress"] < 0.8 for item in scene.page()["moving"]), 90, "something is half done")


def shoot(chromium, scene, path, scheme, width, scale=1):
    is_phone = width < 500
    context = chromium.new_context(viewport={"width": width, "height": 1600 if is_phone else 800}, color_scheme=scheme, device_scale_factor=scale, reduced_motion="reduce", locale="en-GB")
    page = context.new_page()
    page.goto(scene.address + "/")
    page.wait_for_selector("#live[data-on=yes]")
    page.wait_for_selector("#plot-requests .curve[d]", state="attached")
    if page.locator("details").count():
        page.locator("summary").first.click()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.screenshot(path=str(path), full_page=not is_phone)
    context.close()


main()
