"""Both languages are complete: every message is translated, and every page is in one language."""

from __future__ import annotations

import re

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from web_make import Planned

from web.settings import ROOT

METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def wanted() -> set[str]:
    """Every message id in the code."""
    return {
        message[2]
        for message in extract_from_dir(ROOT / "web", method_map=METHODS)
        if isinstance(message[2], str)
    }


def catalog() -> dict[str, str]:
    path = ROOT / "web" / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return {
            str(m.id): str(m.string) for m in read_po(file, locale="zh_Hans_CN", abort_invalid=True) if m.id
        }


def test_every_message_is_translated_and_none_is_left_over() -> None:
    assert set(catalog()) == wanted()
    assert [key for key, text in catalog().items() if not text] == []


def test_placeholders_survive_translation() -> None:
    holes = re.compile(r"%\(\w+\)s")
    for key, text in catalog().items():
        assert sorted(holes.findall(key)) == sorted(holes.findall(text)), key


@pytest.mark.parametrize("suffix", ["", "/layers"])
def test_english_pages_hold_no_chinese_but_names(planned: Planned, suffix: str) -> None:
    html = planned.client.get(f"{planned.page}{suffix}?lang=en").get_data(as_text=True)
    text = re.sub(
        r"<span[^>]*lang=\"zh-CN\".*?</span>|<a[^>]*lang=\"zh-CN\".*?</a>", "", html, flags=re.DOTALL
    )
    for name in (
        "东河社区",
        "西河社区",
        "城区.gpkg",
        "社区编码",
        "社区名称",
        "地址",
        "党群服务",
        "第",
        "网格",
        "方案 1",
    ):
        text = text.replace(name, "")
    assert CHINESE.findall(text) == []


def test_language_is_chosen_and_remembered(planned: Planned) -> None:
    client = planned.client
    assert 'lang="zh-CN"' in client.get("/projects").get_data(as_text=True)
    assert '<html lang="en"' in client.get("/projects?lang=en").get_data(as_text=True)
    assert '<html lang="en"' in client.get("/projects").get_data(as_text=True)
    assert '<html lang="zh-CN"' in client.get("/projects?lang=zh").get_data(as_text=True)
