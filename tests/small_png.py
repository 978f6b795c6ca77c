"""A screenshot as a PNG of 256 colours: half the bytes, and no eye tells them apart."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser

_PIXELS = """async (packed) => {
    const image = await createImageBitmap(await (await fetch("data:image/png;base64," + packed)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    const drawing = canvas.getContext("2d");
    drawing.drawImage(image, 0, 0);
    const bytes = drawing.getImageData(0, 0, image.width, image.height).data;
    let text = "";
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return [image.width, image.height, btoa(text)];
}"""


def small_png(browser: Browser, picture: bytes) -> bytes:
    """The same picture; of its colours the 256 that are most of it, every other one as the nearest of these."""
    page = browser.new_page()
    width, height, packed = page.evaluate(_PIXELS, base64.b64encode(picture).decode())
    page.close()
    pixels = np.frombuffer(base64.b64decode(packed), np.uint8).reshape(-1, 4)[:, :3].astype(np.int32)
    colours, numbers, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(-counts)[:256]]
    nearest = np.array([np.argmin(((kept - colour) ** 2).sum(axis=1)) for colour in colours], np.uint8)
    return _written(nearest[numbers.reshape(-1)].reshape(height, width), kept.astype(np.uint8))


def _written(places: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    height, width = places.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), places]).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
