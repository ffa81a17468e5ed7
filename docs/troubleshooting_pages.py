"""Writes the pages of the troubleshooting guide from the entries that print its messages."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from entry_lines import explained

from wharfinger_common.catalogue import load
from wharfinger_common.languages import Language, Text, rendered, translated
from wharfinger_common.pages import Page

SUFFIXES: Final = {Language.ENGLISH: "", Language.CHINESE: ".zh-CN"}
_CALLED: Final = {"{command}": "ibmcloud", "{product}": "IBM Cloud", "{cli}": "IBM Cloud CLI"}


class Topic(NamedTuple):
    """One page: what people see, which entries may say it, and what they type against it.

    ``doctor`` are the entries that ``ibmcloud doctor`` answers with in that state.
    """

    name: str
    title: Text
    symptom: Text
    entries: tuple[str, ...]
    commands: tuple[str, ...]
    doctor: tuple[str, ...] = ()


TOPICS: Final = (
    Topic(
        "help-and-support",
        Text("Getting help"),
        Text("Something goes wrong, and you want to know more, or to hand it to the operator."),
        (),
        (
            "ibmcloud doctor [IMAGE]",
            "ibmcloud explain REQUEST-ID",
            "ibmcloud explain CODE",
            "ibmcloud support bundle",
        ),
    ),
    Topic(
        "login-fails",
        Text("Signing a container client in fails"),
        Text("`ibmcloud cr login` fails."),
        ("WHF0909", "WHF0906", "WHF0907", "WHF0908", "WHF0804"),
        (
            "ibmcloud plugin update container-registry",
            "ibmcloud cr login --client podman",
            "ibmcloud cr login --credentials-only",
            "ibmcloud login",
        ),
        ("WHF1195", "WHF1196", "WHF0804"),
    ),
    Topic(
        "not-logged-in",
        Text("Every cr command fails, although you are signed in"),
        Text("Each `ibmcloud cr` command says that you are not logged in, right after a login."),
        ("WHF0850", "WHF0803"),
        ("ibmcloud plugin update container-registry", "ibmcloud login"),
        ("WHF0862", "WHF1183"),
    ),
    Topic(
        "cr-not-registered",
        Text("cr is not a registered command"),
        Text("`ibmcloud cr` is unknown to the command line."),
        ("WHF0801",),
        ("ibmcloud plugin install container-registry",),
        ("WHF1174",),
    ),
    Topic(
        "namespace-add-fails",
        Text("A namespace cannot be added"),
        Text("`ibmcloud cr namespace-add` refuses the name."),
        tuple(f"WHF03{number:02}" for number in range(1, 11)),
        ("ibmcloud cr namespace-add NAME", "ibmcloud cr namespaces"),
    ),
    Topic(
        "push-pull-fails",
        Text("A push or pull fails"),
        Text("`docker push` or `docker pull` ends with a refusal of the registry."),
        ("WHF0401", "WHF0402", "WHF0227", "WHF0014", "WHF0015", "WHF0311"),
        (
            "ibmcloud cr login",
            "ibmcloud cr quota",
            "ibmcloud cr image-rm IMAGE",
            "ibmcloud cr quota-set --storage MB --traffic MB",
            "ibmcloud cr plan-upgrade standard",
            "ibmcloud cr token-add --readwrite",
        ),
        ("WHF1175", "WHF1176", "WHF1190", "WHF1191", "WHF1192", "WHF1195"),
    ),
    Topic(
        "latest-is-not-newest",
        Text("latest is not the newest image"),
        Text("`docker pull` without a tag brings an older build than the newest one."),
        (),
        (
            "ibmcloud cr image-list",
            "docker build -t REGISTRY/NAMESPACE/NAME:2 .",
            "docker push REGISTRY/NAMESPACE/NAME:2",
            "docker pull REGISTRY/NAMESPACE/NAME:2",
        ),
        ("WHF1194",),
    ),
    Topic(
        "custom-firewall",
        Text("Connections fail behind a firewall"),
        Text("Worker nodes or clients behind a firewall of your own do not reach the registry."),
        ("WHF0813", "WHF0812", "WHF0811", "WHF0817"),
        ("ibmcloud ks workers CLUSTER", "ibmcloud cr region --network"),
        ("WHF0813", "WHF0812", "WHF1185", "WHF0817", "WHF1188", "WHF1186"),
    ),
)


def pages(notice: str) -> dict[str, str]:
    """Return every page by its file's name, an index for each language among them."""
    written = {}
    for language, suffix in SUFFIXES.items():
        written[f"README{suffix}.md"] = _index(notice, language)
        for topic in TOPICS:
            written[f"{topic.name}{suffix}.md"] = _page(topic, notice, language)
    return written


def _index(notice: str, language: Language) -> str:
    heading = translated("Troubleshooting", language)
    lines = [f"# {heading}", "", notice]
    suffix = SUFFIXES[language]
    for topic in TOPICS:
        title, symptom = rendered(topic.title, language), rendered(topic.symptom, language)
        lines.append(f"- [{title}]({topic.name}{suffix}.md): {symptom}")
    return "\n".join(lines) + "\n"


def _page(topic: Topic, notice: str, language: Language) -> str:
    typed = translated("What to type", language)
    lines = [f"# {rendered(topic.title, language)}", "", notice]
    lines += [f"{rendered(topic.symptom, language)}"]
    lines += ["", f"## {typed}", "", "```sh", *topic.commands, "```"]
    if topic.entries:
        seen = translated("What you may see", language)
        lines += ["", f"## {seen}"]
        for code in topic.entries:
            lines += _entry(code, language)
    if topic.doctor:
        heading = translated("What doctor says", language)
        said = translated("`ibmcloud doctor` finds it by itself and says:", language)
        lines += ["", f"## {heading}", "", said, ""]
        for code in topic.doctor:
            lines.append(f"- {_message(code, language)} ({_link(code, language)})")
    return "\n".join(lines) + "\n"


def _entry(code: str, language: Language) -> Iterator[str]:
    page = Page.of(load().entries[code], language)
    yield from ("", f"### {code}", "")
    yield from ("```text", *_called(page.message).splitlines(), "```", "")
    yield from map(_called, explained(page))
    yield from ("", _link(code, language))


def _first(message: str) -> str:
    return _called(message).splitlines()[0]


def _message(code: str, language: Language) -> str:
    return _first(Page.of(load().entries[code], language).message)


def _link(code: str, language: Language) -> str:
    return f"[{code}](../../reference/errors{SUFFIXES[language]}.md#{code.lower()})"


def _called(text: str) -> str:
    """Return the text as whoever types ``ibmcloud`` reads it; other placeholders stay."""
    for placeholder, name in _CALLED.items():
        text = text.replace(placeholder, name)
    return text
