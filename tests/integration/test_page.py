"""The page in a real browser: it can be seen, read and reached; it loads nothing; and what stands in a name stays a name."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from runners.page.page import write_page
from runners.page.places import file_of
from tests.support.browser import axe, chromium, findings, looks, opened
from tests.support.files import signal, spanning, trueup, two_days, write_events
from tests.support.many import report_of_many

pytestmark = pytest.mark.integration

HOSTILE = {
    "tag": "</script></style></svg><script>alert(1)</script>",
    "picture": "<img src=x onerror=alert(2)>",
    "quotes": "a\"b'c`d onfocus=alert(3) autofocus",
    "long": "n" * 200,
    "right to left": "\u05e9\u05dc\u05d5\u05dd\u0645\u0631\u062d\u0628\u0627",
    "turned": "abc\u202egnp.exe",
    "escape": "\x1b[31mred\x00\x07",
    "template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "lines": "one\ntwo\u2028three",
}
TEXTS = """() => {
    const luminance = (color) => {
        const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
            .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (one) => {
        for (; one; one = one.parentElement) {
            const color = getComputedStyle(one).backgroundColor;
            if (color !== "rgba(0, 0, 0, 0)") return color;
        }
        return "rgb(255, 255, 255)";
    };
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walk.nextNode()); ) {
        const one = node.parentElement;
        if (!node.data.trim() || !one.checkVisibility() || ["SCRIPT", "STYLE"].includes(one.tagName)) continue;
        const style = getComputedStyle(one), drawn = one instanceof SVGElement;
        if (drawn && one.tagName !== "text") continue;
        const a = luminance(drawn ? style.fill : style.color), b = luminance(ground(one));
        found.push({text: node.data.trim().slice(0, 40), size: parseFloat(style.fontSize) * (drawn ? one.getScreenCTM().a : 1),
                    contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)});
    }
    return found;
}"""
OVERLAPS = """() => [...document.querySelectorAll("svg.chart")].filter((svg) => svg.checkVisibility()).flatMap((svg) => {
    const boxes = [...svg.querySelectorAll("text, a")].map((one) => ({one: one.textContent || "mark", box: one.getBBox
        ? one.getBoundingClientRect() : null})).filter(({one, box}) => box.width > 0);
    const found = [];
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
        const over = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        if (over > 2 && down > 3 && !(a.one === "mark" && b.one === "mark")) found.push(`${a.one} / ${b.one}`);
    }));
    return found;
})"""

DUMB = """() => [...document.querySelectorAll("svg")].filter((svg) => svg.closest("[aria-hidden=true]") === null
    && !(["img", "group"].includes(svg.getAttribute("role")) && svg.getAttribute("aria-label")?.length > 20))
    .map((svg) => svg.outerHTML)"""
TWICE = """() => [...document.querySelectorAll("[id]")].map((one) => one.id).filter((id, n, all) => all.indexOf(id) < n)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    return written(folder, list(two_days("abcdef")))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    events: list[Any] = []
    for name in HOSTILE.values():
        events += [signal(0, name, "Available", scale_set=name), signal(0, "2", "Available", scale_set=name)]
        events += spanning(3_000, 3_100, "restart", name, key=name, scale_set=name)
        events += [signal(3_010, name, "Unavailable", scale_set=name), signal(3_090, name, "Available", scale_set=name)]
        events += [signal(9_000, name, "Unavailable", scale_set=name), signal(9_900, name, "Available", scale_set=name)]
    return written(folder, events)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "many.html"
    write_page(*report_of_many(2_000, 365, page=file_of), str(path))
    return path


@pytest.fixture(scope="module")
def one(plain: Path) -> Path:
    """The page of a scale set."""
    assert trueup("report", "--data", plain.parent / "out", "--html", plain.parent / "site").status == 0
    return next(plain.parent.glob("site/sets/a-*.html"))


def written(folder: Path, events: list[Any]) -> Path:
    path = write_events(folder / "in.jsonl", events)
    assert trueup("backfill", "--input", path, "--output", folder / "out").status == 0
    done = trueup("report", "--data", folder / "out", "--html", folder / "page.html")
    assert done.status == 0
    return folder / "page.html"


@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (1100, "dark"), (375, "light"), (375, "dark")])
@pytest.mark.parametrize("which", ["plain", "hostile", "many", "one"])
def test_it_is_seen_in_light_and_dark_at_every_width(
    which: str, width: int, scheme: str, browser: Browser, request: pytest.FixtureRequest
) -> None:
    with opened(browser, request.getfixturevalue(which), width, scheme) as (page, troubles):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        seen = looks(browser, page.screenshot())
        assert seen["colors"] > 50
        assert seen["share"] < 0.97
        assert seen["ground"] > 240 if scheme == "light" else seen["ground"] < 40
        texts = page.evaluate(TEXTS)
        assert len(texts) > 100
        assert [text for text in texts if text["contrast"] < 4.5] == []
        assert [text for text in texts if text["size"] < 10] == []
        assert page.evaluate(OVERLAPS) == []
        assert troubles == []


@pytest.mark.parametrize("which", ["plain", "many"])
def test_it_prints_with_its_evidence_and_without_what_only_a_screen_has(
    which: str, browser: Browser, request: pytest.FixtureRequest
) -> None:
    with opened(browser, request.getfixturevalue(which), scheme="dark") as (page, troubles):
        pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
        assert 3 < len(pages) < 60
        page.emulate_media(media="print")
        assert looks(browser, page.screenshot())["ground"] > 240
        assert page.locator(".cards li:not(.minor)").first.is_visible()
        assert page.locator("svg.wide").first.is_visible()
        assert not page.locator(".filter").is_visible()
        assert not page.locator("svg.narrow").first.is_visible()
        assert page.locator(".sets tbody tr:visible").count() == min(page.locator(".sets tbody tr").count(), 50)
        assert troubles == []


def test_nothing_is_loaded_and_nothing_could_be(browser: Browser, plain: Path) -> None:
    assert re.findall(r"\b(?:https?|wss?):|//\w", plain.read_text("utf-8")) == []
    with opened(browser, plain) as (page, _):
        page.evaluate("""() => {
            addEventListener("securitypolicyviolation", (event) => { (window.refused ??= []).push(event.effectiveDirective); });
            fetch("http://127.0.0.1:9/").catch(() => null);
            document.body.append(Object.assign(new Image(), {src: "http://127.0.0.1:9/x.png"}));
            document.body.append(Object.assign(document.createElement("script"), {textContent: "window.ran = true"}));
        }""")
        page.wait_for_function("window.refused?.length >= 3")
        assert set(page.evaluate("window.refused")) == {"connect-src", "img-src", "script-src-elem"}
        assert page.evaluate("window.ran") is None


def reached(page: Page, wanted: str, keys: int = 400) -> None:
    """Presses Tab until the focus is on an element like that."""
    for _ in range(keys):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
    pytest.fail(f"Tab does not reach {wanted}")


def test_evidence_is_reached_by_keyboard(browser: Browser, plain: Path) -> None:
    with opened(browser, plain) as (page, troubles):
        tip = page.locator("#tip")
        assert not tip.is_visible()
        reached(page, "svg.chart a[aria-label*=restart]")
        assert tip.is_visible()
        text = tip.inner_text()
        for expected in (
            "restart by customer",
            "Began",
            "Ended",
            "Excuses until",
            "1 explained",
            "Excused",
            "0:04:40",
            "Operation key",
        ):
            assert expected in text
        focus = page.evaluate("document.activeElement.getAttribute('aria-describedby')")
        assert focus == "tip"
        box, view = tip.bounding_box(), page.viewport_size
        assert box is not None
        assert view is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= view["width"]
        page.keyboard.press("Escape")
        assert not tip.is_visible()
        page.keyboard.press("Enter")
        card = page.evaluate("location.hash")
        assert re.fullmatch(r"#e[0-9a-f]+", card)
        assert page.locator(card).is_visible()
        assert "restart by customer" in page.locator(card).inner_text()
        assert troubles == []


def test_evidence_is_shown_where_the_mouse_points(browser: Browser, plain: Path) -> None:
    with opened(browser, plain) as (page, _):
        page.locator("svg.wide a[aria-label*='no operation']").first.hover()
        assert "no operation explains it" in page.locator("#tip").inner_text()
        page.mouse.move(1, 1)
        page.locator("#tip").wait_for(state="hidden")


def names(page: Page) -> list[str]:
    return page.locator(".sets tbody tr:visible th").all_inner_texts()


def test_the_table_is_sorted_by_keyboard_and_filtered(browser: Browser, many: Path) -> None:
    with opened(browser, many) as (page, troubles):
        assert len(names(page)) == 50
        assert page.locator("th[aria-sort]").inner_text().startswith("Counted")
        page.locator("#filter").focus()
        reached(page, "thead button", 5)
        page.keyboard.press("Enter")
        assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Scale set")
        assert names(page)[:3] == ["vmss-00000", "vmss-00001", "vmss-00002"]
        page.keyboard.press("Enter")
        assert names(page)[:2] == ["vmss-01999", "vmss-01998"]
        page.get_by_role("button", name="Corrected %").click()
        column = page.locator(".sets tbody tr:visible td:nth-child(3)").all_inner_texts()
        assert column == sorted(column, key=float)
        page.get_by_label("Filter").fill("0199")
        assert sorted(names(page)) == ["vmss-00199", *(f"vmss-0199{n}" for n in range(10))]
        page.get_by_label("Filter").fill("")
        page.get_by_label("with counted time only").check()
        page.get_by_role("button", name="Show all").click()
        shown = page.locator(".sets tbody tr:visible td:nth-child(4)").all_inner_texts()
        assert 50 < len(shown) < 2_000
        assert "-" not in shown
        assert troubles == []


def test_every_picture_has_words(browser: Browser, plain: Path) -> None:
    with opened(browser, plain) as (page, _):
        dumb = page.evaluate(DUMB)
        assert dumb == []
        assert page.locator("svg[role=group]:visible").count() == 6
        assert page.locator("svg.chart a:not([aria-label])").count() == 0
        assert page.locator("svg.chart[aria-hidden]").count() == 0
        assert page.locator("table:not(:has(th[scope=col]))").count() == 0
        levels = [int(tag[1]) for tag in page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => h.tagName)")]
        assert levels[0] == 1
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
        assert page.evaluate(TWICE) == []


@pytest.mark.parametrize("width", [375, 1100])
def test_names_do_no_harm(width: int, browser: Browser, hostile: Path) -> None:
    with opened(browser, hostile, width) as (page, troubles):
        for place in range(page.locator("svg.chart a:visible").count()):
            page.locator("svg.chart a:visible").nth(place).focus()
            assert page.locator("#tip").is_visible()
        for summary in page.locator("summary").all():
            summary.click()
        for button in page.locator("thead button:visible").all():
            button.click()
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert troubles == []
        assert page.locator("img, iframe, object, embed, [onerror], [onload], [onfocus], [autofocus]").count() == 0
        assert page.locator("script").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        text = page.locator("body").inner_text()
        assert {c for c in text if not c.isprintable()} <= {"\n", "\t"}
        for name in ("<img src=x onerror=alert(2)>", "{{ 7 * 7 }}", r"abc\u202egnp.exe", r"\x1b[31mred\x00\x07", "n" * 200):
            assert name in text
        turned = page.locator(".sets bdi", has_text=HOSTILE["right to left"])
        assert turned.evaluate("(one) => getComputedStyle(one).unicodeBidi") == "isolate"


def test_without_script_all_of_it_can_be_read(browser: Browser, many: Path, plain: Path) -> None:
    with opened(browser, many, script=False) as (page, troubles):
        assert page.locator("h1").is_visible()
        assert page.locator(".figure .big").count() == 3
        assert page.locator("#guide").is_visible()
        assert page.locator(".sets tbody tr:visible").count() == 2_000
        assert page.locator("svg.wide").first.is_visible()
        assert not page.locator(".filter").is_visible()
        assert troubles == []
    with opened(browser, plain, script=False) as (page, _):
        page.locator("svg.wide a").first.click()
        assert page.locator(".cards li:target").is_visible()


def test_a_year_of_2000_scale_sets_is_a_page_that_says_what_it_leaves_out(browser: Browser, many: Path) -> None:
    assert many.stat().st_size < 3_000_000
    with opened(browser, many) as (page, _):
        assert page.locator("article").count() == 10
        text = page.locator("main").inner_text()
        assert "The 10 of 2,000 scale sets with the most counted time; the table below leads to the page of each." in text
        assert re.search(r"the 24 of \d+ with the most counted or excused time", text)
        marks = page.locator("svg.chart a:visible").evaluate_all("all => all.map((a) => (a.dataset.all ?? '').split(' ').length)")
        assert sum(marks) == 10 * 24
        assert max(marks) > 1
        assert page.evaluate("document.querySelectorAll('*').length") < 60_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["plain", "hostile", "many", "one"])
def test_a_checker_of_accessibility_finds_nothing(
    which: str, scheme: str, browser: Browser, request: pytest.FixtureRequest
) -> None:
    script = axe()
    for width in (390, 1100):
        with opened(browser, request.getfixturevalue(which), width, scheme) as (page, _):
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert findings(page, script) == []


def test_the_first_sentence_leads_to_what_is_to_be_looked_at(browser: Browser, plain: Path) -> None:
    with opened(browser, plain) as (page, _):
        worst = page.locator(".outages li").first
        assert page.locator(".now").inner_text().startswith(f"Look first at {worst.locator('a').inner_text()}: 1 machine")
        assert re.fullmatch(r"trueup explain --data \S+ --scale-set \S+ --at \S+Z", worst.locator("code").inner_text())
        page.locator(".now a").first.click()
        assert "Counted" in page.locator(".cards li:target").inner_text()


def test_marks_can_be_skipped_with_the_keyboard(browser: Browser, plain: Path) -> None:
    with opened(browser, plain) as (page, _):
        for expected in ("#outages", "#sets"):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.getAttribute('href')") == expected
            assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        reached(page, "a.skip[href='#causes']")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('section').id") == "causes"


def test_each_scale_set_has_a_page_that_all_links_lead_to_and_from(browser: Browser, one: Path) -> None:
    index = one.parent.parent / "index.html"
    with opened(browser, index) as (page, troubles):
        links = page.locator("a[href*='.html']").evaluate_all("all => all.map((a) => a.getAttribute('href'))")
        assert len({link.partition("#")[0] for link in links}) == len(list(one.parent.iterdir())) == 6
        page.locator(".now a").first.click()
        page.wait_for_url("**/sets/*#*")
        assert page.locator(".cards li:target").is_visible()
        assert page.locator("#machines tbody tr").count() == 2
        assert page.locator("#episodes tbody tr").count() == 3
        assert "restart by customer" in page.locator("#operations").inner_text()
        page.get_by_text("All scale sets").click()
        page.wait_for_url(index.as_uri())
        assert [one for one in troubles if not one.startswith("request: file:")] == []
