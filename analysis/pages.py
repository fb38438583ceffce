"""Where pages are made: the templates beside this file, everything a person typed escaped."""

import base64
from functools import cache

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.modes import MODES, title


class Picture(msgspec.Struct, frozen=True):
    """A chart as it stands in a page."""

    name: str
    title: str
    question: str
    text: str
    svg: bytes
    how: str = ""
    limits: str = ""

    @property
    def uri(self) -> Markup:
        """The picture itself as a link's target."""
        return Markup("data:image/svg+xml;base64," + base64.b64encode(self.svg).decode())  # noqa: S704


@cache
def environment() -> Environment:
    """Return the templates' environment; a name that a page asks for in vain is an error.

    The same each time: it keeps the templates, which take longer to compile than to fill in.
    """
    made = Environment(
        loader=PackageLoader("analysis", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"modes": MODES, "title": title}
    return made
