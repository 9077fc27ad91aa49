"""What everybody can read and reach: contrast of texts, names of controls, a visible focus (WCAG 2.2 AA).

Contrast is computed for every visible piece of text against what is painted under it, in every panel and open
state of the editor and in both languages. What floats over the map is taken as if its darkest line lay beneath.
Names are those that the browser itself tells assistive technology.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from editing import Editor, branch, demo_plan
from playwright.sync_api import Page
from watching import Watched

pytestmark = pytest.mark.browser

PANELS = ("grids", "helpers", "history", "compare", "parameters", "together")
DARKEST_OF_MAP = [34, 48, 63]
FOCUSABLE = "button, a[href], input, select, textarea, summary, canvas, [tabindex='0']"

CONTRAST = """(darkest) => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = (top, below) => [0, 1, 2].map((k) => top[3] * top[k] + (1 - top[3]) * below[k]);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => {
    const [r, g, b] = c.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const under = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      // The map is painted on a canvas of its own above the background of the stage.
      if (at.classList.contains("stage")) { layers.push([...darkest, 1]); break; }
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const found = [];
  const check = (element, colour, text) => {
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const back = under(element);
    const got = ratio(over(parse(colour), back), back);
    const where = element.outerHTML.slice(0, 70);
    if (got < least) found.push(`${got.toFixed(2)}: "${text.trim().slice(0, 30)}" ${where}`);
  };
  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  // What is switched off need not be read; options are drawn by the browser.
  const exempt = ":disabled, [data-closed], .hidden, .skip, option";
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    const text = walk.currentNode.data;
    if (text.trim() === "" || !seen(element) || element.closest(exempt)) continue;
    const style = getComputedStyle(element);
    check(element, element instanceof SVGElement ? style.fill : style.color, text);
  }
  for (const field of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
    if (seen(field)) check(field, getComputedStyle(field, "::placeholder").color, field.placeholder);
  }
  return found;
}"""

FOCUS = """(wanted) => {
  const look = (element) => {
    const styles = [null, "::before"].map((pseudo) => getComputedStyle(element, pseudo));
    return styles.flatMap((s) => [s.outlineStyle, s.outlineWidth, s.boxShadow, s.backgroundColor]).join();
  };
  const bare = [];
  let all = 0;
  for (const element of document.querySelectorAll(wanted)) {
    if (!element.checkVisibility() || element.disabled || element.tabIndex < 0) continue;
    document.activeElement?.blur();
    const before = look(element);
    element.focus({ preventScroll: true, focusVisible: true });
    if (document.activeElement !== element) continue;
    all += 1;
    if (look(element) === before) bare.push(element.outerHTML.slice(0, 120));
  }
  document.activeElement?.blur();
  return [all, bare];
}"""


def _nameless(page: Page) -> list[str]:
    """Return the controls without a name, as the browser's accessibility tree has them."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    found = []
    for node in nodes:
        reached = any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
        role = node.get("role", {}).get("value", "")
        if reached and not node.get("ignored") and role not in {"RootWebArea", "dialog", "rowgroup"}:
            name = str(node.get("name", {}).get("value", ""))
            if name.strip() == "":
                found.append(f"{role} {node.get('backendDOMNodeId')}")
    return found


def _faults(page: Page) -> list[str]:
    unread: list[str] = page.evaluate(CONTRAST, DARKEST_OF_MAP)
    return unread + _nameless(page)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_can_be_read_and_reached(
    visitor: Callable[..., Watched], server: str, language: str
) -> None:
    plan = branch(server, demo_plan(server)[1], "Contrast")
    watched = visitor()
    page = watched.page
    page.context.add_cookies([{"name": "lang", "value": language, "url": server}])
    editor = Editor.open(page, server, plan)
    faults: dict[str, list[str]] = {}
    for panel in PANELS:
        page.click(f"#tab-{panel}")
        faults[panel] = _faults(page)
    page.click("#tab-grids")
    page.click(".rows .row")
    for part in page.locator(".grid-card summary, .legend summary").all():
        part.click()
    editor.still()
    page.fill(".finder input", "1")
    page.mouse.move(600, 400)
    faults["a chosen grid, the legend, what was found"] = _faults(page)
    page.keyboard.press("Escape")
    page.fill(".finder input", "")
    page.click("[data-command=help]")
    faults["shortcuts"] = _faults(page)
    page.click("dialog.help-sheet [data-tour]")
    faults["tour"] = _faults(page)
    page.keyboard.press("Escape")
    assert {state: found for state, found in faults.items() if found} == {}


def test_the_focus_is_seen_on_every_control(watched: Watched, server: str) -> None:
    page = watched.page
    Editor.open(page, server, demo_plan(server)[1])
    for panel in PANELS:
        page.click(f"#tab-{panel}")
        reached, bare = page.evaluate(FOCUS, FOCUSABLE)
        assert bare == [], panel
        assert reached > 20, panel
