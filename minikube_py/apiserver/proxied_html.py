"""Links in pages that come through a proxy subresource: what leads to the proxied server leads through the proxy.

`<a href="/next">` in the answer of `/api/v1/namespaces/x/pods/p/proxy/` becomes
`/api/v1/namespaces/x/pods/p/proxy/next`. Relative links are right as they are, links to other hosts too. Only start
tags that have such a link are written anew; every other byte stays (texts, scripts, styles, comments).

Upstream: apimachinery util/proxy/transport.go.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from html import escape, unescape
from urllib.parse import urlsplit, urlunsplit

HTML_BYTES_MAX = 4 << 20
"""A page with more bytes (unpacked) goes through as it is."""
_VALUE_MAX = 8192
_LINKS: Mapping[str, tuple[str, ...]] = {
    "a": ("href",),
    "applet": ("codebase",),
    "area": ("href",),
    "audio": ("src",),
    "base": ("href",),
    "blockquote": ("cite",),
    "body": ("background",),
    "button": ("formaction",),
    "command": ("icon",),
    "del": ("cite",),
    "embed": ("src",),
    "form": ("action",),
    "frame": ("longdesc", "src"),
    "head": ("profile",),
    "html": ("manifest",),
    "iframe": ("longdesc", "src"),
    "img": ("longdesc", "src", "usemap"),
    "input": ("src", "usemap", "formaction"),
    "ins": ("cite",),
    "link": ("href",),
    "object": ("classid", "codebase", "data", "usemap"),
    "q": ("cite",),
    "script": ("src",),
    "source": ("src",),
    "video": ("poster", "src"),
}
_RAW = ("script", "style", "textarea", "title")
_TAG = re.compile(rf"""<([a-zA-Z][^\s/<>]*)((?:[^<>"']|"[^"]{{0,{_VALUE_MAX}}}"|'[^']{{0,{_VALUE_MAX}}}')*)>""")
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""")


def is_html(content_type: str) -> bool:
    """Return whether an answer is a page."""
    return content_type.partition(";")[0].strip().lower() == "text/html"


def unpack(body: bytes, encoding: str) -> bytes | None:
    """Return what a body holds; None: it is packed in a way that is not known here, broken, or too long."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        return None
    reader = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        page = reader.decompress(body, HTML_BYTES_MAX)
    except zlib.error:
        return None
    return page if reader.eof else None


def rewrite_link(link: str, *, target_host: str, client_host: str, prefix: str) -> str:
    """Return a link as the client has to follow it.

    Args:
        link: as it stands in the page.
        target_host: host and port that the page came from.
        client_host: host and port by which the client speaks of the API server.
        prefix: the path of the proxy, without a final slash.
    """
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    if not parts.path.startswith("/") or parts.netloc not in ("", target_host, client_host):
        return link
    path = parts.path if parts.path.startswith(f"{prefix}/") or parts.path == prefix else prefix + parts.path
    if parts.netloc == client_host:
        return urlunsplit(parts._replace(path=path))
    return urlunsplit(("", "", path, parts.query, parts.fragment))


def rewrite_page(page: bytes, rewrite: Callable[[str], str]) -> bytes:
    """Return a page with its links rewritten; it may be in any encoding that has ASCII in it."""
    text = page.decode("latin-1")
    pieces: list[str] = []
    at = done = 0
    while (start := text.find("<", at)) >= 0:
        if text.startswith("<!--", start):
            end = text.find("-->", start)
            at = len(text) if end < 0 else end
            continue
        tag = _TAG.match(text, start)
        if tag is None:
            at = start + 1
            continue
        changed = _rewrite_tag(tag, rewrite)
        if changed != tag[0]:
            pieces += (text[done:start], changed)
            done = tag.end()
        at = _end_of_raw(text, tag)
    return "".join((*pieces, text[done:])).encode("latin-1", "xmlcharrefreplace")


def _end_of_raw(text: str, tag: re.Match[str]) -> int:
    """Return where tags may stand again: behind this one, or behind the script that it begins."""
    name = tag[1].lower()
    if name not in _RAW or tag[2].endswith("/"):
        return tag.end()
    end = re.compile(f"</{name}", re.IGNORECASE).search(text, tag.end())
    return len(text) if end is None else end.start()


def _rewrite_tag(tag: re.Match[str], rewrite: Callable[[str], str]) -> str:
    wanted = _LINKS.get(tag[1].lower())
    if wanted is None:
        return tag[0]

    def attribute(found: re.Match[str]) -> str:
        if found[1].lower() not in wanted:
            return found[0]
        value = found[3]
        link = unescape(value[1:-1] if value[0] in "\"'" else value).strip()
        rewritten = rewrite(link)
        return found[0] if rewritten == link else f'{found[1]}{found[2]}"{escape(rewritten)}"'

    return f"<{tag[1]}{_ATTRIBUTE.sub(attribute, tag[2])}>"
