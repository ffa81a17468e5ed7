"""Keeps the translations: collects all texts for people, updates ``.po``, compiles ``.mo``.

A text is found in the error catalogue, and where code calls ``Text("...")`` or
``translated("...")`` with a literal. After a new text run ``make translations``, write what the
``.po`` file then leaves empty, and run it again. ``--check`` changes nothing and tells what lacks.
"""

import argparse
import io
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from wharfinger_common.catalogue import load
from wharfinger_common.languages import DOMAIN, LOCALES
from wharfinger_common.refusals import Entry

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ("common/src", "server/src", "cli/src", "plugins", "enforcement/src", "docs")
TEMPLATE: Final = "plugin-template"
KEYWORDS: Final = {"Text": None, "translated": None}
LOCALE: Final = "zh_Hans"
PO: Final = LOCALES / LOCALE / "LC_MESSAGES" / f"{DOMAIN}.po"
MO: Final = PO.with_suffix(".mo")
GLOSSARY: Final = {
    "命名空间": "名称空间",
    "镜像": "映像",
    "标签": "标记",
    "客户机": "客户端",
    "帐户": "账户",
    "运营者": "运维人员",
    "仓库": "存储库",
}
"""One word for one thing, those of the guide that people know: what is not said, and what is."""
CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")


def texts() -> dict[str, str]:
    """Return every English text with where it stands: catalogue first, by code, then the code's."""
    found: dict[str, str] = {}
    for code, entry in sorted(load().entries.items()):
        for place, message in _of_entry(entry):
            found.setdefault(message, f"{code} {place}")
    for message, place in sorted(_of_sources()):
        found.setdefault(message, place)
    return found


def defects() -> list[str]:
    """Return what lacks, each as a line for people; nothing when all is translated."""
    wanted, catalog = texts(), _read()
    kept = {str(message.id): message for message in catalog if message.id}
    lines = [f"not in {PO.name}: {text}" for text in wanted if text not in kept]
    lines += [f"no longer used: {text}" for text in kept if text not in wanted]
    for text, message in kept.items():
        lines += [f"{problem}: {text}" for problem in _problems(text, message)]
    if not MO.exists() or MO.read_bytes() != _compiled(catalog):
        lines.append(f"{MO.name} is not what {PO.name} says")
    return lines


def update() -> list[str]:
    """Bring both files up to date with the code; return the texts that wait for translation."""
    old = {message.id: message.string for message in _read()}
    catalog = _Texts()
    for text, place in texts().items():
        catalog.add(text, str(old.get(text) or ""), auto_comments=[place])
    PO.parent.mkdir(parents=True, exist_ok=True)
    output = io.BytesIO()
    write_po(output, catalog, width=0, omit_header=False, sort_output=False)
    PO.write_bytes(output.getvalue().rstrip() + b"\n")
    MO.write_bytes(_compiled(catalog))
    return [str(message.id) for message in catalog if message.id and not message.string]


def _of_entry(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "message", entry.message
    yield "meaning", entry.meaning
    for name, lines in (("cause", entry.causes), ("cure", entry.cure)):
        for line in lines:
            yield name, line


def _of_sources() -> Iterator[tuple[str, str]]:
    files = (file for top in SOURCES for file in (ROOT / top).rglob("*.py"))
    # The template of a plug-in has translations of its own, as every plug-in of others has.
    for path in sorted(file for file in files if TEMPLATE not in file.parts):
        for _line, message, _comments, _context in extract_from_file(
            "python", path, keywords=KEYWORDS
        ):
            yield str(message), path.relative_to(ROOT).as_posix()


def _problems(text: str, message: Message) -> Iterator[str]:
    translation = str(message.string)
    if message.fuzzy:
        yield "marked fuzzy"
    if not translation.strip():
        yield "not translated"
    elif placeholders(text) != placeholders(translation):
        yield f"placeholders differ ({translation})"
    elif " " in text and not CHINESE.search(translation):
        yield f"still English ({translation})"
    elif other := next((word for word in GLOSSARY if word in translation), ""):
        yield f"says {other} for {GLOSSARY[other]} ({translation})"
    elif (text.endswith(".") and not text.endswith("...")) != translation.endswith("。"):
        yield f"ends otherwise ({translation})"


def placeholders(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


class _Texts(Catalog):
    """A catalogue whose header has no dates and no versions.

    They would change the files, and collide in merges, where no text does.
    """

    def __init__(self) -> None:
        comment = "# Texts of Wharfinger in Simplified Chinese."
        super().__init__(LOCALE, DOMAIN, header_comment=comment, fuzzy=False)

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", LOCALE),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def _read() -> Catalog:
    if not PO.exists():
        return _Texts()
    with PO.open("rb") as file:
        return read_po(file, LOCALE, DOMAIN, abort_invalid=True)


def _compiled(catalog: Catalog) -> bytes:
    plain = _Texts()
    for message in catalog:
        if message.id and message.string and not message.fuzzy:
            plain.add(message.id, message.string)
    output = io.BytesIO()
    write_mo(output, plain)
    return output.getvalue()


def main() -> int:
    """Update the files, or tell what lacks; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    lines = defects() if parser.parse_args().check else update()
    for line in lines:
        sys.stderr.write(f"{line}\n")
    if lines:
        sys.stderr.write(f"{len(lines)} to do in {PO.relative_to(ROOT)}; make translations\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
