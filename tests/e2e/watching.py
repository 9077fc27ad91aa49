"""A page under watch: the hosts it asks and everything it complains about."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, WebError

DRIVER = "GL Driver Message"
"""What a software renderer says of its own speed."""
REFUSED = "Failed to load resource: the server responded with a status of 4"
WITHOUT_WEBGL = (
    "const real = HTMLCanvasElement.prototype.getContext;"
    "HTMLCanvasElement.prototype.getContext = function (kind, ...rest)"
    "{ return kind === 'webgl2' ? null : real.call(this, kind, ...rest); };"
)
"""A script for a page: a browser that cannot draw the map."""
LOST = ("net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED", "net::ERR_NETWORK_CHANGED")
LEFT = "cannot be restored after WebGL context loss"


@dataclass
class Watched:
    """A page, the hosts it asked, and everything it complained about.

    Attributes
    ----------
    refusals
        Whether the browser's own line about a request that was answered with 4xx is expected.
    losses
        Whether its lines about requests that found no connection are.
    forgets
        Whether the map's remark is that it leaves it to the page to bring back what the page draws itself.
    """

    page: Page
    home: str
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    refusals: bool = False
    losses: bool = False
    forgets: bool = False

    def note(self, message: ConsoleMessage) -> None:
        """Take down a line of the console that is no mere driver's remark."""
        if message.type in {"error", "warning"} and DRIVER not in message.text:
            self.complaints.append(
                f"{message.text} ({message.location['url']}:{message.location['lineNumber']})"
            )

    def fault(self, error: WebError) -> None:
        """Take down an error that nobody caught, with where it came from: its message alone may be empty."""
        self.complaints.append(f"{error.error} {getattr(error.error, 'stack', '')}")

    def check(self) -> None:
        """Fail if the page asked another host or complained of what was not expected."""
        assert self.hosts - {"", urlsplit(self.home).netloc} == set()
        unexpected = [text for text in self.complaints if not self._expected(text)]
        assert not unexpected, "\n".join(unexpected)

    def _expected(self, text: str) -> bool:
        return (
            (self.refusals and text.startswith(REFUSED))
            or (self.losses and any(end in text for end in LOST))
            or (self.forgets and LEFT in text)
        )


def watch(browser: Browser, home: str, **options: object) -> Watched:
    """Open a page in a context of its own that takes down what happens."""
    settings: dict[str, object] = {"viewport": {"width": 1440, "height": 900}, "accept_downloads": True}
    context = browser.new_context(**(settings | options))  # type: ignore[arg-type]
    found = Watched(context.new_page(), home)
    context.on("request", lambda request: found.hosts.add(urlsplit(request.url).netloc))
    context.on("console", found.note)
    context.on("weberror", found.fault)
    return found
