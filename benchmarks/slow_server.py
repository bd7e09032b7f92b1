"""HTTP server for benchmarks that is far away: each answer comes late, each connection is narrow.

It answers GET and HEAD, ranges, and what clients of S3 need to read the files of a bucket, without
looking at their signatures.
"""

import asyncio
import re
import time
from pathlib import Path
from urllib.parse import unquote

PIECE = 2**17  # bytes sent at a time
HEAD_OF = (
    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nAccept-Ranges: bytes\r\n"
    'ETag: "{tag}"\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n'
    "Content-Type: application/octet-stream\r\n{more}\r\n"
)


def serve(folder: Path, port: int, latency: float, rate: float) -> None:
    """Serve a folder until the process is ended.

    Args:
        folder: What to serve.
        port: On 127.0.0.1.
        latency: Seconds from each request to its answer.
        rate: Bytes per second of a connection.
    """

    async def run() -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    await asyncio.sleep(latency)
                    await _answer(folder, head.decode(), writer, rate)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(run())


async def _answer(folder: Path, head: str, writer: asyncio.StreamWriter, rate: float) -> None:
    method, target, _ = head.split(" ", 2)
    file = folder / unquote(target.split("?")[0]).lstrip("/")
    if not file.is_file():
        writer.write(HEAD_OF.format(status="404 Not Found", length=0, tag="", more="").encode())
        await writer.drain()
        return
    size = file.stat().st_size
    asked = re.search(r"^range: bytes=(\d+)-(\d*)", head, re.IGNORECASE | re.MULTILINE)
    first, last = 0, size - 1
    if asked:
        first, last = int(asked[1]), min(size - 1, int(asked[2] or size - 1))
    part = f"Content-Range: bytes {first}-{last}/{size}\r\n" if asked else ""
    status = "206 Partial Content" if asked else "200 OK"
    facts = {"length": last + 1 - first, "tag": f"{size:x}", "more": part}
    writer.write(HEAD_OF.format(status=status, **facts).encode())
    if method == "GET":
        with file.open("rb") as stream:
            stream.seek(first)
            await _send(stream.read(last + 1 - first), writer, rate)
    await writer.drain()


async def _send(content: bytes, writer: asyncio.StreamWriter, rate: float) -> None:
    started = time.monotonic()
    for sent in range(0, len(content), PIECE):
        writer.write(content[sent : sent + PIECE])
        await writer.drain()
        await asyncio.sleep(max(0.0, started + (sent + PIECE) / rate - time.monotonic()))
