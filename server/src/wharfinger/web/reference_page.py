"""The OpenAPI description as one HTML page that loads nothing from anywhere."""

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final

Json = Mapping[str, Any]

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .3rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; }
details { border-top: 1px solid #8886; padding: .5rem 0; }
summary { cursor: pointer; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; }
"""
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_METHODS: Final = ("get", "put", "post", "patch", "delete")


def page(document: Json) -> str:
    """Return the page for an OpenAPI 3.1 ``document``; everything in it is escaped."""
    info = document["info"]
    title = escape(info["title"])
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title} {escape(info['version'])}</h1>",
            f"<p>{escape(info.get('description', ''))}</p>",
            '<p>For programs: <a href="openapi.json">openapi.json</a></p>',
            *_groups(document),
            "<h2>Schemas</h2>",
            *_schemas(document.get("components", {}).get("schemas", {})),
            "</body></html>",
        ]
    )


def _groups(document: Json) -> Iterator[str]:
    grouped: dict[str, list[str]] = {}
    for path, methods in document.get("paths", {}).items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                tag = (operation.get("tags") or ["other"])[0]
                grouped.setdefault(tag, []).append(_operation(method, path, operation))
    for tag, parts in sorted(grouped.items()):
        yield f"<h2>{escape(tag)}</h2>"
        yield from parts


def _operation(method: str, path: str, operation: Json) -> str:
    identity = escape(operation["operationId"])
    parts = [
        f'<details id="{identity}"><summary><span class="method">{method.upper()}</span> ',
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>",
        f"<p>{escape(operation.get('description', ''))}</p>",
        _table("Parameters", map(_parameter, operation.get("parameters", []))),
        *_body(operation.get("requestBody")),
        _table("Answers", map(_answer, *zip(*operation["responses"].items(), strict=True))),
        "</details>",
    ]
    return "".join(parts)


def _parameter(parameter: Json) -> tuple[str, str, str]:
    need = "required" if parameter.get("required") else "optional"
    rule = json.dumps(parameter.get("schema", {}), ensure_ascii=False)
    kind = f"{parameter['in']}, {need}"
    return f"<code>{escape(parameter['name'])}</code>", kind, f"<code>{escape(rule)}</code>"


def _answer(status: str, answer: Json) -> tuple[str, str, str]:
    return status, escape(answer.get("description", "")), _schema_of(answer)


def _body(body: Json | None) -> Iterator[str]:
    if body:
        yield f"<h4>Body</h4><p>{_schema_of(body)}</p>"


def _schema_of(holder: Json) -> str:
    """Return what a body or answer holds: a link to a named schema, or the schema itself."""
    content = holder.get("content", {})
    schema = (content.get(_JSON) or content.get(_FORM) or {}).get("schema")
    if not schema:
        return ""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    return f"<code>{escape(json.dumps(schema))}</code>"


def _table(title: str, rows: Iterable[Iterable[str]]) -> str:
    cells = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<h4>{title}</h4><table>{''.join(cells)}</table>" if cells else ""


def _schemas(schemas: Json) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        yield f'<h3 id="schema-{escape(name)}">{escape(name)}</h3><pre>{text}</pre>'
