"""Draw an address as a QR code. segno is imported when one is asked for: starting costs nothing."""

import functools

QUIET_ZONE = 4  # modules around the code, ISO/IEC 18004 section 6.3.8


@functools.lru_cache(maxsize=4)
def qr_svg(text: str) -> bytes:
    """Return an SVG of `text`, black on white with its quiet zone, as large as its frame."""
    import io

    import segno

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        border=QUIET_ZONE,
        dark="#000",
        light="#fff",
        omitsize=True,
        xmldecl=False,
        title=text,
    )
    return out.getvalue()
