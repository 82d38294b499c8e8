"""Fills the templates of the reports. Training and benchmarks extend the same base template."""

import base64
import re
from pathlib import Path

import jinja2
from markupsafe import Markup

from edge.about import VERSION
from edge.atomic_file import write_atomically
from edge.errors import SourceError
from edge.messages.catalogue import Catalogue, catalogue
from edge.messages.codes import Code
from edge.messages.language import Language
from edge.messages.message import system_reason

REPORT_NAME = "report.html"


def render(
    template: str,
    language: Language,
    *,
    title: str,
    subtitle: str,
    identity: str,
    signing: str = "",
    package: str = "edge.reports",
    **values: object,
) -> str:
    """Fill a template that extends `base.html.j2`.

    Args:
        template: name of the file below `templates` of the package.
        language: of the labels and sentences.
        title: heading of the page.
        subtitle: the line below it.
        identity: what the page is of, such as a slide's id and the model: at the foot of each printed page.
        signing: places to sign, at the foot of each printed page too; may be empty.
        package: the package whose templates are searched first.
        **values: what else the template names. Everything is escaped but `Markup`.

    Returns:
        The page.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    words = catalogue(language)
    page = environment(package).get_template(template)
    return page.render(
        words=words,
        title=title,
        subtitle=subtitle,
        identity=f"{identity} · Plasmolite {VERSION}",
        signing=signing,
        page_of=_page_of(words),
        **values,
    )


def write_report(page: str, folder: Path) -> Path:
    """Write `report.html` into a folder, whole or not at all; the folder is made if it is absent.

    Returns:
        The file.

    Raises:
        SourceError: the folder cannot be written to.
    """
    target = folder / REPORT_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(target, page)
    except OSError as error:
        raise SourceError(Code.FILE_NOT_WRITTEN, path=target, reason=system_reason(error)) from error
    return target


def environment(package: str = "edge.reports") -> jinja2.Environment:
    """Find the templates of a package, and beside them the base template of all reports.

    Args:
        package: its folder `templates` is searched first.
    """
    found = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in (package, "edge.reports")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_keep_together,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["data_url"] = _data_url
    found.filters["css_string"] = _css_string
    return found


def _keep_together(value: object) -> object:
    """Let no line begin with a per cent sign or with the colon or semicolon that French sets apart."""
    if type(value) is not str:
        return value
    return re.sub(" (?=[%:;?!])", "\N{NO-BREAK SPACE}", value)


def _data_url(picture: bytes, kind: str = "jpeg") -> str:
    """Write an encoded picture as an address that holds the picture itself."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"


def _css_string(text: str) -> Markup:
    """Quote a text for a style sheet: each sign but letters, digits and spaces as its code (CSS Syntax, 4.3.7)."""
    escaped = re.sub(r"[^\w ]", lambda sign: f"\\{ord(sign[0]):x} ", text)
    return Markup(f'"{escaped}"')  # noqa: S704 - every sign that could end the string or the element is escaped


def _page_of(words: Catalogue) -> Markup:
    """Write "Page 2 of 5" as the value of CSS's `content`: a browser counts the pages as it prints."""
    quoted = _css_string(words.text("report.page", page="THISPAGE", pages="ALLPAGES"))
    page, pages = Markup('" counter(page) "'), Markup('" counter(pages) "')
    return quoted.replace("THISPAGE", page).replace("ALLPAGES", pages)
