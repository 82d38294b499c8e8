"""``plasmolite slides`` and ``plasmolite review``, as a person uses them."""

import csv
import io
import json
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.images.encode import encode_jpeg
from edge.messages.catalogue import catalogue
from edge.messages.codes import Code
from edge.messages.language import Language
from edge.slides.readings import Reading
from edge.slides.review import judge, review_queue, slide_estimates
from edge.slides.store import SlideStore
from edge.types import Label
from plasmolite.console import main
from tests.support.slides.small_slide import RATES, begin, cells_of, field_at, open_store

CROP = encode_jpeg(np.full((40, 40, 3), (180, 90, 120), np.uint8), 95)


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """A store with one slide of five cells, two suspects and one doubtful."""
    with open_store(tmp_path) as store:
        slide = begin(store, "K-0413", notes="second film")
        store.add_field(slide, field_at(), cells_of(0.01, 0.99, 0.4, 0.02, 0.8), [CROP] * 5)
        return store.path


def run(store_path: Path, *words: str, keys: str | None = None) -> Result:
    environment = {"PLASMOLITE_SLIDES": str(store_path), "COLUMNS": "140"}
    return CliRunner(env=environment).invoke(main, list(words), input=keys)


def test_the_slides_are_listed_with_their_counts(store_path: Path) -> None:
    table = run(store_path, "slides", "list")
    assert table.exit_code == 0
    assert "K-0413" in table.output
    assert "not a diagnostic device" in table.output.lower()
    (line,) = run(store_path, "slides", "list", "--json").output.splitlines()
    record = json.loads(line)
    assert (record["slide"], record["cells"], record["parasitized"]) == ("K-0413", 5, 2)


def test_the_list_tells_nothing_after_review_before_there_was_one(store_path: Path) -> None:
    def last_figures() -> list[str]:
        table = run(store_path, "slides", "list").output
        return next(line for line in table.splitlines() if "K-0413" in line).split()[-3:]

    assert last_figures() == ["2", "0", "-"]
    with SlideStore(store_path) as store:
        slide = store.slide("K-0413")
        for cell in store.cells(slide):
            if cell.label == Label.UNINFECTED and not cell.doubtful:
                judge(store, slide, cell.cell_id, Label.UNINFECTED, reviewer="Amina")
    # As many calls as suspects, and none of them on a suspect.
    assert last_figures() == ["2", "2", "-"]
    run(store_path, "review", "K-0413", "--reviewer", "Amina", keys="coq")
    assert last_figures() == ["2", "4", "1"]


@pytest.mark.slow
def test_a_slide_is_shown_with_both_readings_and_its_trail(store_path: Path) -> None:
    run(store_path, "review", "K-0413", "--reviewer", "Amina", keys="coq")
    shown = run(store_path, "slides", "show", "K-0413", "--audit")
    assert shown.exit_code == 0
    assert "After review (2 of 2 suspects reviewed, 1 overruled)" in shown.output
    assert shown.output.count("cell reviewed") == 2
    record = json.loads(run(store_path, "slides", "show", "K-0413", "--json").output)
    assert record["estimate"]["parasitized_count"] == 2
    assert record["estimate_after_review"]["parasitized_count"] == 1


def test_a_french_reader_lists_shows_and_reviews_in_french(store_path: Path) -> None:
    french = ("--language", "fr")
    listed = run(store_path, "slides", "list", *french).output
    assert "Suspectes" in listed
    reviewed = run(store_path, "review", "K-0413", "--reviewer", "Amina", *french, keys="coq").output
    assert "Cellule 1 sur 3" in reviewed
    assert "Parasitée, verdict confirmé par Amina" in reviewed
    shown = run(store_path, "slides", "show", "K-0413", *french).output
    assert "commencée le" in shown
    assert "Après revue (2 suspectes revues sur 2, infirmées : 1) :" in shown
    for english in ("Machine:", "begun", "overruled", "reviewed", "Not a diagnostic device"):
        assert english not in listed + reviewed + shown


def test_the_report_opens_offline_and_shows_calls(store_path: Path, tmp_path: Path) -> None:
    run(store_path, "review", "K-0413", "--reviewer", "<Amina>", keys="oc")
    done = run(store_path, "slides", "report", "K-0413", "--to", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "overruled: Uninfected by &lt;Amina&gt;" in page
    assert "After review" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert (tmp_path / "out" / "cells.csv").read_text().count("\n") == 6
    assert (tmp_path / "out" / "fields.csv").exists()


def test_a_slide_is_exported_in_each_format(store_path: Path, tmp_path: Path) -> None:
    assert run(store_path, "slides", "export", "K-0413", "--format", "csv").output.count("\n") == 6
    run(store_path, "slides", "export", "K-0413", "--format", "csv", "--to", str(tmp_path / "tables"))
    assert {path.name for path in (tmp_path / "tables").iterdir()} == {"cells.csv", "fields.csv", "audit.csv"}
    record = json.loads(run(store_path, "slides", "export", "K-0413", "--format", "json").output)
    assert len(record["cells"]) == 5
    bundle = json.loads(run(store_path, "slides", "export", "K-0413", "--format", "fhir").output)
    assert bundle["resourceType"] == "Bundle"


def test_a_slide_is_erased_only_when_asked_twice(store_path: Path) -> None:
    assert run(store_path, "slides", "delete", "K-0413", keys="n\n").exit_code == 1
    assert run(store_path, "slides", "delete", "K-0413", "--who", "Amina", keys="y\n").exit_code == 0
    with SlideStore(store_path) as store:
        assert store.slides() == []
        assert store.audit()[-1].who == "Amina"


@pytest.mark.slow
def test_review_walks_the_queue_confirms_overrules_and_undoes(store_path: Path) -> None:
    # Confirm the first, overrule the second, take that back, confirm it, overrule the doubtful one.
    done = run(store_path, "review", "K-0413", "--reviewer", "Amina", keys="couco")
    assert done.exit_code == 0, done.output
    assert "Cell 1 of 3" in done.output
    assert "The machine: Parasitised, probability 0.990" in done.output
    with SlideStore(store_path) as store:
        slide = store.slide("K-0413")
        calls = {cell.probability: cell.call for cell in store.cells(slide) if cell.call}
        history = [(review.call, review.reviewer) for review in store.reviews(slide)]
    assert calls == {0.99: "Parasitized", 0.8: "Parasitized", 0.4: "Parasitized"}
    assert history == [
        ("Parasitized", "Amina"),
        ("Uninfected", "Amina"),
        (None, "Amina"),
        ("Parasitized", "Amina"),
        ("Parasitized", "Amina"),
    ]


@pytest.mark.slow
def test_review_ends_when_nothing_is_left(store_path: Path) -> None:
    run(store_path, "review", "K-0413", "--reviewer", "Amina", keys="ccc")
    assert "No cell of slide K-0413 waits for review" in run(store_path, "review", "K-0413").output


def test_an_unknown_slide_and_a_missing_store_end_with_2_and_a_sentence(store_path: Path) -> None:
    for words in (
        ("slides", "show", "nobody"),
        ("review", "nobody"),
        ("slides", "delete", "nobody", "--yes"),
    ):
        ended = run(store_path, *words)
        assert ended.exit_code == 2
        assert "There is no slide nobody" in ended.output
    absent = store_path.with_name("absent.sqlite")
    ended = run(absent, "slides", "list")
    assert ended.exit_code == 2
    assert "no slide store" in ended.output
    assert not absent.exists()


def test_reviewed_cells_of_several_slides_become_a_folder_of_labelled_cells(
    store_path: Path, tmp_path: Path
) -> None:
    run(store_path, "review", "K-0413", "--reviewer", "Amina", keys="coq")
    out = tmp_path / "cells"
    done = run(store_path, "slides", "export", "K-0413", "--form", "cells", "--to", str(out))
    assert done.exit_code == 0, done.output
    assert "Cells written: 1 Parasitized, 1 Uninfected, of 1 slide" in done.output
    assert "3 cells that nobody called were left out" in done.output
    again = run(store_path, "slides", "export", "K-0413", "--form", "cells", "--to", str(out))
    assert again.exit_code == 2
    assert "not empty" in again.output
    several = run(store_path, "slides", "export", "K-0413", "K-0413", "--format", "json")
    assert several.exit_code == 2
    assert "json is of one slide" in several.output


@pytest.mark.slow
def test_a_call_that_is_withdrawn_while_a_third_decides_ends_nothing(
    store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store_path, "review", "K-0413", "--reviewer", "Amina", keys="ccq")
    run(store_path, "review", "K-0413", "--reviewer", "Benedict", "--reading", "second", keys="ooq")
    keys = iter("nq")

    def key() -> str:
        pressed = next(keys)
        if pressed == "n":
            with SlideStore(store_path) as store:
                slide = store.slide("K-0413")
                last = review_queue(store, slide, reading=Reading.DECISION)[-1]
                judge(store, slide, last.cell_id, None, reviewer="Amina")
        return pressed

    monkeypatch.setattr("plasmolite.commands.counting.review._key", key)
    decided = run(store_path, "review", "K-0413", "--reviewer", "Chipo", "--reading", "decide")
    assert decided.exit_code == 0, decided.output
    assert "Cell 2 of 2" in decided.output


@pytest.mark.slow
def test_two_readers_who_disagree_a_third_who_decides_and_the_filed_report(
    store_path: Path, tmp_path: Path
) -> None:
    run(store_path, "review", "K-0413", "--reviewer", "Amina", keys="cco")  # 0.4 called parasitised
    # Blind to the machine: no verdict, no probability, nothing of Amina's, and cells that the machine passed.
    second = run(
        store_path,
        *("review", "K-0413", "--reviewer", "Benedict", "--reading", "second", "--blind"),
        keys="fffff",
    )
    assert second.exit_code == 0, second.output
    walked = second.output.split("suspects reviewed")[0]
    assert "Cell 5 of 5" in walked
    assert not any(told in walked for told in ("machine", "probability", "doubtful", "Amina", "overruled"))
    assert "The reading of Amina stands." in second.output
    assert "Not decided yet: 3 of 3 disagreements" in second.output
    refused = run(store_path, "review", "K-0413", "--reviewer", "Amina", "--reading", "decide", keys="c")
    assert refused.exit_code == 2
    assert "Another person has to make this reading" in refused.output
    third = run(store_path, "review", "K-0413", "--reviewer", "Chipo", "--reading", "decide", keys="coc")
    assert "Called Parasitised by Amina" in third.output
    assert "Called Uninfected by Benedict" in third.output
    shown = run(store_path, "slides", "show", "K-0413").output
    assert "where the two differed, Chipo decided" in shown
    assert "Amina and Benedict agree on 0" in shown
    with SlideStore(store_path) as store:
        slide = store.slide("K-0413")
        standing = {cell.probability: cell.call for cell in store.cells(slide) if cell.call}
        assert len(store.reviews(slide)) == 11
    assert standing == {0.99: "Parasitized", 0.8: "Uninfected", 0.4: "Uninfected"}
    run(store_path, "slides", "report", "K-0413", "--to", str(tmp_path / "out"), "--language", "fr")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for told in (
        "Où les lecteurs diffèrent",
        "Non infectée (Chipo)",
        "La lecture de Amina fait foi",
        "Benedict",
    ):
        assert told in page


@pytest.mark.slow
def test_a_reader_notes_species_and_stage_with_a_call(store_path: Path) -> None:
    done = run(store_path, "review", "K-0413", "--reviewer", "Amina", keys="sP. vivax\nring\ncoq")
    assert done.exit_code == 0, done.output
    with SlideStore(store_path) as store:
        reviews = store.reviews(store.slide("K-0413"))
    assert [(review.species, review.stage) for review in reviews] == [("P. vivax", "ring"), ("", "")]
    assert "P. vivax" in run(store_path, "slides", "table").output


def plain_spaces(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


ELSEWHERE = {
    **RATES,
    "laboratories_infected": [[75, 92], [120, 188], [200, 250], [2089, 2258]],
    "laboratories_uninfected": [[50, 3000], [40, 4500], [1, 4000], [0, 2057]],
}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_surface_says_first_that_nothing_was_measured_here_and_whether_there_is_an_infection(
    tmp_path: Path, language: str
) -> None:
    with open_store(tmp_path) as store:
        slide = store.create_slide(
            "K-1",
            operator="Amina",
            device="a bench",
            model_name="made-up",
            model_sha256="ab" * 32,
            settings={"rates": ELSEWHERE, "threshold": 0.5},
        )
        store.add_field(slide, field_at(), cells_of(0.9, *[0.01] * 1199), [CROP] * 1200)
        messages = slide_estimates(store, slide).machine.words
        path = store.path
    words = catalogue(Language(language))
    wanted = [words.message(message) for message in messages]
    assert messages[0].code == Code.ESTIMATE_NOT_MEASURED_HERE
    assert messages[2].code == Code.ESTIMATE_CANNOT_TELL
    terminal = run(path, "slides", "show", "K-1", "--language", language).output
    run(path, "slides", "report", "K-1", "--to", str(tmp_path / "out"), "--language", language)
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for sentence in wanted[:3]:
        assert sentence in terminal, terminal
        assert plain_spaces(sentence) in plain_spaces(unescape(report))
    bundle = json.loads(run(path, "slides", "export", "K-1", "--format", "fhir").output)
    assert bundle["entry"][0]["resource"]["conclusion"].startswith(str(messages[0]))
    shown = json.loads(run(path, "slides", "show", "K-1", "--json").output)["estimate"]
    assert (shown["words"][0], shown["presence"]) == (str(messages[0]), "cannot tell")
    row = next(csv.DictReader(io.StringIO(run(path, "slides", "table").output)))
    assert (row["presence"], row["measured_here"]) == ("cannot tell", "False")


@pytest.mark.parametrize(
    "words",
    [("export", "K-0413", "--form", "json"), ("export", "K-0413", "--form", "csv"), ("table",)],
)
def test_a_file_is_replaced_whole_never_written_over(
    store_path: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    target, name = (tmp_path, "cells.csv") if "csv" in words else (tmp_path / "out", "out")
    (tmp_path / name).write_text("former")
    former = tmp_path / "former"
    former.hardlink_to(tmp_path / name)
    assert run(store_path, "slides", *words, "--to", str(target)).exit_code == 0
    assert (tmp_path / name).read_text() != "former"
    assert former.read_text() == "former"
