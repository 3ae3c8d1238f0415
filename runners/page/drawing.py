"""Renders Vega-Lite charts as SVG within the page, so that nothing is left to load or to run.

Charts are drawn when the page is written. So they need no script, look the same in print, and take their colours from the page's
style sheet (`var(--up)`), which knows light from dark.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

import vl_convert

_SVG: Final = "{http://www.w3.org/2000/svg}"
_LINK: Final = "{http://www.w3.org/1999/xlink}href"
_ELEMENTS: Final = {"svg", "g", "path", "line", "text", "rect", "a", "title"}
_DROPPED: Final = ("aria-", "role", "class", "font-family", "stroke-miterlimit", "version", "pointer-events", "xmlns")
_LONG: Final = re.compile(r"(\d+\.\d)\d+")
_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
_CONFIG: Final = {
    "view": {"stroke": None},
    "axis": {"labelColor": "var(--soft)", "labelFontSize": 11, "labelLimit": 0, "gridColor": "var(--grid)"},
    "text": {"color": "var(--soft)"},
}


def drawn(
    chart: Mapping[str, Any], label: str, links: Mapping[str, str] | None = None, titles: Sequence[str] = (), look: str = ""
) -> str:
    """The SVG of a chart.

    Args:
        chart: a Vega-Lite specification; its texts are the program's own, or harmless.
        label: what it shows, for those who do not see it.
        links: what each mark that links to a part of the page is called, by the name of that part; of several, joined by +, the
            first is linked to.
        titles: what each rectangle of the chart says when it is pointed at, in the order of the data.
        look: the class by which the style sheet knows it.
    """
    whole = {"$schema": _SCHEMA, "background": None, "config": _CONFIG, "padding": 0, **chart}
    svg = ET.fromstring(vl_convert.vegalite_to_svg(whole))
    _title(svg, titles)
    _clean(svg)
    width, height = (svg.attrib.pop(name) for name in ("width", "height"))
    svg.attrib |= {"class": look, "style": f"--wide:{width}px", "viewBox": f"0 0 {width} {height}", "aria-label": label}
    svg.set("role", "group" if links else "img")
    for link in svg.iter("a"):
        names = link.attrib["href"].removeprefix("#").split("+")
        link.set("aria-label", ". ".join((links or {})[name] for name in names))
        if names[1:]:
            link.attrib |= {"href": f"#{names[0]}", "data-all": " ".join(names)}
    return ET.tostring(svg, encoding="unicode")


def _title(svg: ET.Element, titles: Sequence[str]) -> None:
    if titles:
        group = next(g for g in svg.iter(f"{_SVG}g") if "mark-rect" in g.get("class", ""))
        for path, text in zip(list(group), titles, strict=True):
            ET.SubElement(path, "title").text = text


def _clean(element: ET.Element) -> None:
    """Strips classes, roles and namespaces, which an SVG within a page does not need."""
    element.tag = element.tag.removeprefix(_SVG)
    if element.tag not in _ELEMENTS:
        raise ValueError(f"a chart holds no <{element.tag}>")
    link = element.attrib.pop(_LINK, None)
    for name in [name for name in element.attrib if name.startswith(_DROPPED)]:
        del element.attrib[name]
    if link is not None:
        element.set("href", f"#{link.rpartition('#')[2]}")
    if "d" in element.attrib:
        element.set("d", _LONG.sub(r"\1", element.attrib["d"]))
    if element.attrib.get("opacity") == "1":
        del element.attrib["opacity"]
    for child in list(element):
        unseen = child.get("display") == "none" or child.get("class") in ("background", "foreground")
        if unseen:
            element.remove(child)
        else:
            _clean(child)
