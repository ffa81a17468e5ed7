"""How a catalogue entry is explained on a generated page."""

from collections.abc import Iterator

from wharfinger_common.pages import Page


def explained(page: Page) -> Iterator[str]:
    """Yield the lines that tell what the entry means, why it comes, and what to do."""
    yield page.meaning
    yield from ("", f"**{page.causes_title}**", "", *(f"- {cause}" for cause in page.causes))
    yield from ("", f"**{page.cure_title}**", "", *(f"- {step}" for step in page.cure))
