"""A stand-in for the Hugging Face Hub's file endpoint on 127.0.0.1, serving a mirror folder."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef" * 2 + "01234567"  # the revision that "main" is
CONVERTED = COMMIT[::-1]


class Revision(NamedTuple):
    """Which commit a name stands for, and whose files are served: those of <name><suffix>."""

    commit: str
    suffix: str


_MAIN, _CONVERTED = Revision(COMMIT, ""), Revision(CONVERTED, "@converted")
REVISIONS = {
    "main": _MAIN, COMMIT: _MAIN,
    "refs%2Fconvert%2Fparquet": _CONVERTED, CONVERTED: _CONVERTED,
}  # fmt: skip


class StandIn:
    """Serves the data sets under `root` while the `with` lasts.

    With `break_at`, the first transfer longer than that breaks off after so many bytes.
    """

    def __init__(self, root: Path, break_at: int | None = None):
        self.root = root
        self.break_at = break_at
        self.ranges: list[str] = []  # the Range headers seen
        handler = type("Bound", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> StandIn:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: StandIn
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        """The three endpoints that `snapshot_download` calls."""
        match urlsplit(self.path).path.strip("/").split("/"):
            case ["api", "datasets", owner, name, *_] if not (
                self.hub.root / owner / name
            ).is_dir():
                self.send_error(404)
            case ["api", "datasets", owner, name, "revision", r] if r in REVISIONS:
                files = self._tree(self._folder(owner, name, r))
                siblings = [{"rfilename": file["path"]} for file in files]
                sha = REVISIONS[r].commit
                self._send_json({"id": f"{owner}/{name}", "sha": sha, "siblings": siblings})
            case ["api", "datasets", owner, name, "tree", r] if r in REVISIONS:
                self._send_json(self._tree(self._folder(owner, name, r)))
            case ["datasets", owner, name, "resolve", r, *file] if r in REVISIONS:
                file = self._folder(owner, name, r).joinpath(*file)
                self._send_file(file, REVISIONS[r].commit)
            case _:
                self.send_error(404)

    def _folder(self, owner: str, name: str, revision: str) -> Path:
        return self.hub.root / owner / f"{name}{REVISIONS[revision].suffix}"

    def _tree(self, folder: Path) -> list[dict]:
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        return [
            {
                "type": "file",
                "path": file.relative_to(folder).as_posix(),
                "size": file.stat().st_size,
                "oid": _etag(file),
            }
            for file in files
        ]

    def _send_json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send_file(self, file: Path, commit: str) -> None:
        content, status, headers = file.read_bytes(), 200, {"X-Repo-Commit": commit}
        headers["ETag"] = f'"{_etag(file)}"'
        if asked := self.headers.get("Range"):
            self.hub.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content, status = content[start:], 206
        self._send(status, content, headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        broken = self.hub.break_at
        if broken is not None and len(body) > broken:
            self.hub.break_at = None
            self.close_connection = True  # in the middle of the promised length
            body = body[:broken]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _etag(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()
