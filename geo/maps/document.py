"""The HTML document of a map page: folium's map, our scripts inside, ids without chance, sealed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template

from geo.maps import layers, legend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from folium.map import Layer

    from geo.maps.assets import Assets

SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class _Raw(Element):
    """Text that goes into the page as it is, never compiled as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Raw"
        self.text = text

    def render(self, **_kwargs: Any) -> str:
        return self.text


class _Page(Figure):
    """A page with a language, a title, and the scripts inside the body."""

    _template = Template(
        '<!DOCTYPE html>\n<html lang="{{ this.lang }}">\n<head>\n{{ this.policy }}'
        "<title>{{ this.title|e }}</title>\n{{ this.header.render(**kwargs) }}\n</head>\n<body>\n"
        "{{ this.html.render(**kwargs) }}\n<script>\n{{ this.script.render(**kwargs) }}\n</script>\n"
        "</body>\n</html>\n"
    )

    def __init__(self, title: str, lang: str) -> None:
        super().__init__(title=title)
        self.lang = lang
        self.policy = "@policy@"


class _Controls(MacroElement):
    """Starts our own script: labels, title, search, category choice, legend."""

    _template = Template(
        "{% macro script(this, kwargs) %}\n"
        "wanggeMap({{ this.map.get_name() }}, { "
        "{% for name, layer in this.layers.items() %}{{ name }}: {{ layer.get_name() }}, {% endfor %}"
        " });\n"
        "{% endmacro %}"
    )

    def __init__(self, page_map: folium.Map, drawn: Mapping[str, Element]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Controls"
        self.map = page_map
        self.layers = drawn


def compose(
    drawn: Mapping[str, Layer],
    config: dict[str, Any],
    assets: Assets,
    *,
    title: str,
    lang: str,
) -> str:
    """Return the page with these layers.

    Parameters
    ----------
    drawn
        Layers by the name our script knows them by, bottom first.
    config
        Plain data for our script; ``bounds`` is what the page shows first.
    assets
        Scripts and style sheets to carry inside.
    title, lang
        Title and ``lang`` attribute of the document.
    """
    (south, west), (north, east) = config["bounds"]
    page_map = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        control_scale=False,
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.25,
        min_zoom=3,
        max_zoom=22,
        font_size="14px",
    )
    # Leaflet is inlined below, and nothing here needs the rest of what folium loads.
    page_map.default_js, page_map.default_css = [], []
    page = _Page(title, lang)
    page.add_child(page_map)
    switches = folium.LayerControl(position="topright", collapsed=False)
    for part in (*layers.panes(), *drawn.values(), switches):
        page_map.add_child(part)
    page_map.add_child(_Controls(page_map, {**drawn, "switches": switches}))
    page.html.add_child(_Raw(f'<script type="application/json" id="wg-config">{_data(config)}</script>'))
    for style in (*assets.styles, legend.badge_styles()):
        page.header.add_child(_Raw(f"<style>\n{style}\n</style>"))
    for script in assets.scripts:
        page.header.add_child(_Raw(f"<script>\n{script}\n</script>"))
    _number(page)
    return _seal(page.render())


def _data(value: dict[str, Any]) -> str:
    """Return plain data as JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _number(page: Figure) -> None:
    """Give every element a running number for its random id, so that the page's bytes are the input's."""
    for count, element in enumerate(_elements(page), start=1):
        element._id = str(count)  # noqa: SLF001 - branca offers no other way


def _elements(element: Element) -> Iterator[Element]:
    yield element
    if isinstance(element, Figure):
        for part in (element.header, element.html, element.script):
            yield from _elements(part)
    for child in element._children.values():  # noqa: SLF001 - branca offers no other way
        yield from _elements(child)


def _seal(html: str) -> str:
    """Forbid the page every request, and every script but the ones it was made with.

    Inline event handlers have no hash, so markup that got past escaping could still not run.
    """
    scripts = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in SCRIPT.findall(html)
    )
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    tag = f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    return html.replace("@policy@", tag, 1)
