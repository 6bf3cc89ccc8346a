"""Controls a real Chromium over the WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

import contextlib
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.request import Request, urlopen

from aiohttp import ClientSession

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's id, from the specification."""

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # the tests may run as root
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
)

ENTER, SPACE, TAB = "\ue007", " ", "\ue004"


class WebDriverError(Exception):
    """A command failed; `code` is the specification's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Element:
    """An element of the page that the browser shows."""

    def __init__(self, browser: "Browser", element_id: str) -> None:
        self._browser = browser
        self._path = f"element/{element_id}"

    async def text(self) -> str:
        """Return the text as a reader sees it."""
        return str(await self._browser.get(f"{self._path}/text"))

    async def attribute(self, name: str) -> str | None:
        value: str | None = await self._browser.get(f"{self._path}/attribute/{name}")
        return value

    async def click(self) -> None:
        await self._browser.post(f"{self._path}/click")

    async def type(self, keys: str) -> None:
        await self._browser.post(f"{self._path}/value", text=keys)

    async def is_shown(self) -> bool:
        """Return whether the element belongs to the page that the browser shows now."""
        try:
            await self._browser.get(f"{self._path}/name")
        except WebDriverError as error:
            if error.code != "stale element reference":
                raise
            return False
        return True


class Browser:
    """A window of Chromium."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def get(self, command: str) -> Any:  # noqa: ANN401 - JSON
        async with ClientSession() as session, session.get(f"{self._url}/{command}") as response:
            return _value(await response.json())

    async def post(self, command: str, **parameters: object) -> Any:  # noqa: ANN401 - JSON
        async with (
            ClientSession() as session,
            session.post(f"{self._url}/{command}", json=parameters) as response,
        ):
            return _value(await response.json())

    async def devtools(self, command: str, **parameters: object) -> Any:  # noqa: ANN401 - JSON
        """Send a command of the DevTools protocol."""
        return await self.post("goog/cdp/execute", cmd=command, params=parameters)

    async def open(self, url: object) -> None:
        """Load a page, and wait until it is loaded."""
        await self.post("url", url=str(url))

    async def title(self) -> str:
        return str(await self.get("title"))

    async def url(self) -> str:
        return str(await self.get("url"))

    async def find(self, selector: str) -> Element:
        found = await self.post("element", using="css selector", value=selector)
        return Element(self, found[_ELEMENT])

    @contextlib.asynccontextmanager
    async def new_page(self) -> AsyncIterator[None]:
        """Wait at the end of the block until the browser has left the page: a click returns before.

        The next command waits until the new page is loaded.
        """
        page = await self.find("html")
        yield
        while await page.is_shown():
            pass

    async def texts(self, selector: str) -> list[str]:
        """Return the text content of all elements that match."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        texts: list[str] = await self.run(script, selector)
        return texts

    async def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Return what a function body returns."""
        return await self.post("execute/sync", script=script, args=arguments)

    async def run_async(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Return what a function body passes to its last argument, a callback."""
        return await self.post("execute/async", script=script, args=arguments)

    async def type(self, keys: str) -> None:
        """Press keys on the element that has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        await self.post("actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    async def set_view(self, *, width: int, height: int, dark: bool = False) -> None:
        """Set the size of the window in pixels, and the colour scheme."""
        await self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.devtools("Emulation.setEmulatedMedia", features=[scheme])

    async def allow_scripts(self, *, allowed: bool) -> None:
        await self.devtools("Emulation.setScriptExecutionDisabled", value=not allowed)

    async def log(self) -> list[str]:
        """Return what the page and its security policy have reported since the last call."""
        entries: list[Mapping[str, str]] = await self.post("se/log", type="browser")
        return [entry["message"] for entry in entries]


def _value(reply: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    value = reply["value"]
    if isinstance(value, dict) and "error" in value:
        raise WebDriverError(value["error"], value["message"])
    return value


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a screen until the end of the block."""
    program = shutil.which("chromedriver")
    assert program
    with (
        _reserved_port() as port,
        subprocess.Popen(  # noqa: S603 - fixed arguments
            [program, f"--port={port}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as driver,
    ):
        try:
            assert driver.stdout
            output = ""
            while "started successfully" not in output:
                line = driver.stdout.readline()
                assert line, output
                output += line
            url = f"http://127.0.0.1:{port}/session"
            session = _start_session(url)
            yield Browser(f"{url}/{session}")
            urlopen(Request(f"{url}/{session}", method="DELETE")).close()  # noqa: S310 - http
        finally:
            driver.terminate()


@contextlib.contextmanager
def _reserved_port() -> Iterator[int]:
    """Keep a port of IPv4 and IPv6 free for a program that sets SO_REUSEADDR.

    With `--port=0` ChromeDriver takes a free one of IPv6, and ends if that of IPv4 is in use.
    """
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    with socket.socket(family) as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            reserved.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        reserved.bind(("", 0))
        yield reserved.getsockname()[1]


def _start_session(url: str) -> str:
    options = {"args": _ARGUMENTS}
    capabilities = {
        "alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    }
    body = json.dumps({"capabilities": capabilities}).encode()
    with urlopen(Request(url, body)) as response:  # noqa: S310 - http
        return str(_value(json.load(response))["sessionId"])
