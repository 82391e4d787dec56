"""Reading CSV as it arrives: encoding, separator, records and the lines they begin at. Nothing here writes anything.

Understood are UTF-8 (with or without a mark), UTF-16 (with a mark, or recognised by its zero bytes) and Latin-1 in the form that
programs write, Windows-1252; comma, semicolon and tab; quotation marks that hold line breaks; the line ``sep=;`` of spreadsheets.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kept.core.errors import BadInput

LONGEST_CELL = 131_072
"""Characters; a longer one means that a quotation mark was never closed."""
SEPARATORS = (",", ";", "\t")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF8 = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ENDS = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Row:
    """A record and the line of the file it begins at (from 1)."""

    line: int
    cells: list[str]


class _Lines:
    """An iterator over lines for csv.reader that remembers whether it was asked for more than it had."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.at, self.starved = lines, 0, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at == len(self.lines):
            self.starved = True
            raise StopIteration
        self.at += 1
        return self.lines[self.at - 1]


class Reader:
    """Bytes in, rows out. The first row is the header. Raises BadInput that names the line."""

    def __init__(self) -> None:
        self.encoding = ""
        self.separator = ""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""  # of a file whose encoding is not known yet
        self._text = ""
        self._line = 1
        self._decoded_lines = 1
        self._started = False

    def feed(self, data: bytes, *, final: bool = False) -> list[Row]:
        """The rows that these bytes complete."""
        text = self._text + self._decode(data, final)
        if "\0" in text:
            line = self._line + len(re.findall(r"\r\n|\r|\n", text[: text.index("\0")]))
            raise BadInput("This is not text: a zero byte stands in it.", place=f"line {line}", cure="Save the file as CSV in UTF-8.")
        lines = list(io.StringIO(text, newline=""))
        self._text = "" if final or not lines or lines[-1].endswith("\n") else lines.pop()
        rows = self._records(lines, final)
        if len(self._text) > 4 * LONGEST_CELL:
            raise BadInput("This line has no end.", place=f"line {self._line}", cure="Save the file as CSV, one person a line.")
        return rows

    def _records(self, lines: list[str], final: bool) -> list[Row]:
        if not self._started and lines:
            lines = self._start(lines)
        if not lines:
            return []
        source, rows, begin, used = _Lines(lines), list[Row](), self._line, 0
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(source, delimiter=self.separator)
        try:
            for cells in reader:
                if source.starved and final:
                    raise _unclosed(begin + used)
                if source.starved:  # cut off inside quotation marks: read again when more has come
                    break
                if any(cells):
                    rows.append(Row(begin + used, cells))
                used = source.at
        except csv.Error:
            raise _unclosed(begin + used) from None
        self._line += used
        self._text = "".join(lines[used:]) + self._text
        return rows

    def _start(self, lines: list[str]) -> list[str]:
        """Find the separator, in a line that says so or in the header."""
        self._started = True
        said = re.fullmatch(r"\"?sep=(.)\"?", lines[0].strip("\r\n"), re.IGNORECASE)
        if said:
            self.separator = said[1]
            self._line += 1
            if self.separator not in SEPARATORS:
                raise BadInput("The file names a separator that is not known.", place="line 1", cure="Use a comma, a semicolon or a tab.")
            return lines[1:]
        header = re.sub(r'"[^"]*"', "", next((line for line in lines if line.strip()), ""))
        self.separator = max(SEPARATORS, key=header.count)
        return lines

    def _decode(self, data: bytes, final: bool) -> str:
        if self._decoder is None:
            self._head += data
            if len(self._head) < 4 and not final:
                return ""
            data, self._head = self._choose(self._head), b""
        if self.encoding == "ascii":
            data = self._settle(self._head + data, final)
        assert self._decoder is not None
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raw: bytes = error.object if isinstance(error.object, bytes) else b""
            before = raw[: error.start].decode(self.encoding, "ignore")
            line = self._decoded_lines + len(re.findall(r"\r\n|\r|\n", before))
            cure = "Save the file in UTF-8 and send it again."
            raise BadInput(f"Bytes here fit no known encoding (read as {self.encoding}).", place=f"line {line}", cure=cure) from None
        self._decoded_lines += text.count("\n") or text.count("\r")
        return text

    def _choose(self, head: bytes) -> bytes:
        """Choose a decoder by the mark or by the zero bytes of UTF-16; the bytes without the mark."""
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                self._use(encoding)
                return head[len(mark) :]
        if len(head) >= 4 and (head[1:4:2] == b"\0\0" or head[0:4:2] == b"\0\0"):
            self._use("utf-16-le" if head[1] == 0 else "utf-16-be")
        else:
            self._use("ascii")
        return head

    def _settle(self, data: bytes, final: bool) -> bytes:
        """The first bytes beyond ASCII decide: it is UTF-8 when most of them are. What can be decoded now."""
        self._head = b""
        beyond = next((n for n, byte in enumerate(data) if byte > 127), -1) if not data.isascii() else -1
        if beyond < 0:
            return data
        if len(data) - beyond < 4 and not final:  # perhaps the beginning of a character whose rest comes next
            self._head = data[beyond:]
            return data[:beyond]
        rest, characters = _UTF8.subn(b"", data)
        others = len(rest) - len(rest.translate(None, bytes(range(128, 256))))
        self._use("utf-8" if characters >= max(others, 1) else "cp1252")
        return data

    def _use(self, encoding: str) -> None:
        self.encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")


def _unclosed(line: int) -> BadInput:
    return BadInput("A quotation mark is opened and never closed.", place=f"line {line}", cure='Close it, or double it ("") inside a cell.')
