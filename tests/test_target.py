"""A URL becomes an address and whole requests, or an error that names what is wrong and shows no secret."""

from __future__ import annotations

import http.client
import io
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.client.target import Target
from scorebench.errors import InputError
from tests.client import connection_to, fate, request_to
from tests.scoring_server import Behaviour, replies, scoring_server


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://localhost:5001", Target("http", "localhost", 5001, "/invocations")),
        ("http://localhost:5001/", Target("http", "localhost", 5001, "/invocations")),
        ("http://localhost:5001/invocations", Target("http", "localhost", 5001, "/invocations")),
        ("http://localhost/v2/score/", Target("http", "localhost", 80, "/v2/score/")),
        ("http://localhost?model=a&b=%20", Target("http", "localhost", 80, "/invocations?model=a&b=%20")),
        ("http://localhost/x#part", Target("http", "localhost", 80, "/x")),
        ("https://Example.ORG", Target("https", "example.org", 443, "/invocations")),
        ("HTTPS://example.org:443/x", Target("https", "example.org", 443, "/x")),
        ("localhost:5001", Target("http", "localhost", 5001, "/invocations")),
        ("127.0.0.1:5001/score?v=1", Target("http", "127.0.0.1", 5001, "/score?v=1")),
        ("[::1]:5001", Target("http", "::1", 5001, "/invocations")),
        (" http://127.0.0.1:8080 \n", Target("http", "127.0.0.1", 8080, "/invocations")),
        ("http://[::1]:5001", Target("http", "::1", 5001, "/invocations")),
        ("http://my_model-1:8080", Target("http", "my_model-1", 8080, "/invocations")),
        ("http://münchen.example", Target("http", "xn--mnchen-3ya.example", 80, "/invocations")),
    ],
)
def test_urls(url: str, target: Target) -> None:
    """Scheme, host, port and path, with /invocations where no path is given."""
    assert Target.parse(url) == target


@pytest.mark.parametrize(
    ("url", "named"),
    [("localhost:1", False), ("http://localhost:1/?a=b", False), ("http://localhost/invocations", True)],
)
def test_it_is_known_whether_the_url_names_a_path(url: str, *, named: bool) -> None:
    """Some bodies are taken at paths that only the user knows."""
    assert Target.parse(url).names_path is named


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", "no scheme or no host"),
        ("http://", "no scheme or no host"),
        ("http:///invocations", "no scheme or no host"),
        ("127.0.0.1", "no scheme or no host"),
        ("localhost:http", "scheme 'localhost'"),
        ("localhost:65536", "Port out of range"),
        ("ftp://localhost", "scheme 'ftp'"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("http://localhost:http", "Port"),
        ("http://localhost:65536", "Port out of range"),
        ("http://localhost:-1", "Port"),
        ("http://localhost:0", "port 0"),
        ("http://[::1", "Invalid IPv6"),
        ("http://local host", "a space or control character"),
        ("http://local\x00host", "control character"),
        ("http://" + "é" * 70, "too long"),
        ("http://localhost/a b", "percent-encode"),
        ("http://localhost/a\r\nHost: other", "percent-encode"),
        ("http://localhost/modèle", "percent-encode"),
        ("http://localhost/?q=\x7f", "percent-encode"),
    ],
)
def test_urls_that_cannot_be_called(url: str, found: str) -> None:
    """One line with the URL's fault and what would be right."""
    with pytest.raises(InputError) as caught:
        Target.parse(url)
    message = str(caught.value)
    assert found in message
    assert "expected" in message or "percent-encode" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@localhost",
        "http://hunter2@localhost",
        "ftp://user:hunter2@localhost",
        "http://user:hunter2@localhost:99999",
        "http://user:hunter2/x@localhost",
        "http://user:hunter2#x@localhost",
        "user:hunter2@localhost",
        "//user:hunter2@localhost",
        "http://user:hunter2@localhost/a b",
        "http://user:hunter2@[::1",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_shown(url: str) -> None:
    """Whatever else is wrong with it."""
    with pytest.raises(InputError) as caught:
        Target.parse(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["ftp://localhost/?key=hunter2", "http://localhost:0/?hunter2", "localhost?k=hunter2"]
)
def test_the_query_of_a_url_that_is_refused_is_not_shown(url: str) -> None:
    """It may hold a token."""
    with pytest.raises(InputError) as caught:
        Target.parse(url)
    assert "hunter2" not in str(caught.value)


def test_a_target_shows_its_url_without_the_values_of_the_query() -> None:
    """What is posted to has them."""
    target = Target.parse("http://localhost:5001/score?key=hunter2&flag")
    assert target.url == "http://localhost:5001/score?key=hunter2&flag"
    assert target.shown == "http://localhost:5001/score?key=…&…"


@given(st.text(max_size=60))
def test_no_text_is_more_than_an_input_error(text: str) -> None:
    """Whatever stands in place of a URL is a target that its own URL leads back to, or one line of error."""
    for url in (text, f"http://{text}", f"https://localhost/{text}"):
        found = parsed(url)
        if isinstance(found, Target):
            assert Target.parse(found.url) == found
        else:
            assert len(found.splitlines()) == 1


def parsed(url: str) -> Target | str:
    """The target, or the error's message."""
    try:
        return Target.parse(url)
    except InputError as error:
        return str(error)


@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True) | st.ip_addresses().map(str),
    st.integers(1, 65535),
    st.from_regex(r"/[a-zA-Z0-9._~%-]{1,20}", fullmatch=True),
)
def test_a_target_and_its_url_are_one(scheme: str, host: str, port: int, path: str) -> None:
    """What a target says of itself leads back to it, as the standard library reads URLs too."""
    target = Target(scheme, host, port, path)
    assert Target.parse(target.url) == target
    assert urlsplit(target.url).hostname == host.lower()
    assert target.url == target.base_url + path


def test_the_host_header() -> None:
    """The scheme's own port is left out, an IPv6 address stands in brackets."""
    urls = {
        "http://localhost:80": "localhost",
        "https://localhost:443": "localhost",
        "https://localhost:80": "localhost:80",
        "http://[::1]:5001": "[::1]:5001",
    }
    assert {url: Target.parse(url).netloc for url in urls} == urls


def test_a_request_as_others_read_it() -> None:
    """The standard library's own parser finds the head and leaves the body."""
    body = "naïve\r\n\r\n".encode()
    request = Target.parse("http://localhost:5001").request(body, "text/csv", {"X-Key": "a b"})
    stream = io.BytesIO(request)
    assert stream.readline() == b"POST /invocations HTTP/1.1\r\n"
    headers = dict(http.client.parse_headers(stream))
    assert headers == {
        "Host": "localhost:5001",
        "Content-Type": "text/csv",
        "Content-Length": "10",  # n a ï(2) v e, and four bytes of line ends
        "Accept": "application/json",
        "X-Key": "a b",
    }
    assert stream.read() == body


def test_requests_that_a_server_takes() -> None:
    """A POST and a GET, with a header that reaches the server as it was given."""
    with (
        scoring_server(Behaviour(default=replies.PREDICTED)) as server,
        connection_to(server.url) as connection,
    ):
        assert fate(connection, request_to(server, headers={"Authorization": "Bearer x"})) == 200
        assert fate(connection, Target.parse(server.url).get("/version", {"X-Key": "y"})) == 200
        call, probe = server.requests()
    assert (call.method, call.path, call.headers["authorization"]) == ("POST", "/invocations", "Bearer x")
    assert (probe.method, probe.path, probe.headers["x-key"]) == ("GET", "/version", "y")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Key": "hunter2\r\nHost: other"},
        {"X-Key": "hunter2\n"},
        {"X-Key": "hunter2\x00"},
        {"X-Key": "hunter2日"},
        {"X Key": "hunter2"},
        {"X-Key:": "hunter2"},
        {"": "hunter2"},
        {"X-Key\n": "hunter2"},
    ],
)
def test_a_header_cannot_break_out_of_its_line(headers: dict[str, str]) -> None:
    """What no header can hold is an error that shows the name and not the value."""
    target = Target.parse("http://localhost")
    with pytest.raises(InputError, match="header") as of_post:
        target.request(b"", "text/csv", headers)
    with pytest.raises(InputError, match="header") as of_get:
        target.get("/ping", headers)
    assert "hunter2" not in str(of_post.value) + str(of_get.value)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost:50051", "localhost:50051"),
        ("ws://127.0.0.1:5501/x", "ws://127.0.0.1:5501/x"),
        ("http://me:secret@example.com/", "http://example.com/"),
        ("https://example.com?token=secret", "https://example.com"),
        ("http://[::1]:80", "http://[::1]"),
        (None, ""),
        ("", ""),
        ("http://[", ""),
        ("http://h:port", ""),
    ],
)
def test_any_host_of_a_locustfile_can_be_said(host: str | None, url: str) -> None:
    """Its own clients know what it means: nothing is refused, and no secret is kept."""
    assert Target.elsewhere(host).url == url
