"""What is seen on a page, pixel by pixel; the browser itself reads the pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from playwright.sync_api import Page

APART = 24
"""Two colours are told apart when a channel differs by more than this, of 255."""

READ = """
const read = async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  return pen.getImageData(0, 0, image.width, image.height);
};
"""


def seen(page: Page) -> bytes:
    """Take a picture of the map, as PNG."""
    box = page.locator(".maplibregl-canvas").first.bounding_box()
    assert box is not None
    return page.screenshot(clip=box)


def differing(page: Page, one: bytes, two: bytes) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Share of pixels that differ between two pictures of one size, column by column."""
    shares = page.evaluate(
        "async ([a, b, apart]) => {"
        + READ
        + """
        const [one, two] = [await read(a), await read(b)];
        const shares = new Array(one.width).fill(0);
        for (let k = 0; k < one.data.length; k += 4) {
          const far = Math.max(...[0, 1, 2].map((c) => Math.abs(one.data[k + c] - two.data[k + c])));
          if (far > apart) shares[(k / 4) % one.width] += 1 / one.height;
        }
        return shares;
        }""",
        [base64.b64encode(one).decode(), base64.b64encode(two).decode(), APART],
    )
    return np.array(shares)


def colours(page: Page, picture: bytes, points: Sequence[tuple[float, float]]) -> list[tuple[int, int, int]]:
    """Colours of a picture at some points, counted from its upper left corner."""
    found = page.evaluate(
        "async ([text, points]) => {"
        + READ
        + """
        const { data, width } = await read(text);
        return points.map(([x, y]) => [0, 1, 2].map((c) => data[4 * (Math.round(y) * width + Math.round(x)) + c]));
        }""",
        [base64.b64encode(picture).decode(), [list(point) for point in points]],
    )
    return [(r, g, b) for r, g, b in found]
