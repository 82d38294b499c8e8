"""From a reviewed slide to a model that judges better here, and back, on the page."""

from collections.abc import Iterator

import pytest

from edge.inference.classifier import Classifier
from edge.inference.model_file import default_model_path, load_model
from edge.inference.model_store import model_in_use
from edge.teaching.retention import area
from plasmolite.site_models import put_in_use
from tests.support.bench import Bench, bench_in
from tests.support.http.browser_page import Page
from tests.support.http.running_server import classifier
from tests.support.slides.strange_slides import count_and_review, slide_inputs

pytest.importorskip("cryptography", reason="cryptography is not installed: no model can be signed")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A device with models of its own."""
    folder = tmp_path_factory.mktemp("device")
    with pytest.MonkeyPatch.context() as patch, bench_in(folder, put_in_use=put_in_use) as bench:
        patch.setenv("PLASMOLITE_MODELS", str(folder / "models"))
        yield bench


def footer(page: Page) -> str:
    return str(page.one(".foot code").text)


def test_a_review_teaches_the_model_and_it_is_taken_back(page: Page, bench: Bench) -> None:
    parent = classifier()
    first = count_and_review(bench.store, 1, parent)
    page.script("localStorage.setItem('plasmolite-language', 'fr')")
    page.open(f"slides/{first.number}")
    assert page.reads("cellules infectées 8, non infectées 16")
    assert page.reads("C'est trop peu pour apprendre")
    assert not page.all("#teach-try")
    for slide in (2, 3, 4):
        count_and_review(bench.store, slide, parent)
    page.script("localStorage.setItem('plasmolite-language', 'en')")
    page.open(f"slides/{first.number}")
    assert page.reads("infected cells 32, uninfected cells 64, slides or fields 4.")
    page.one("#teach-site").send_keys("Kisumu")
    page.one("#teach-try").click()
    page.one("#teach-use")
    assert "Of 32 infected cells of slides left out the taught model finds" in page.one("#teach-outcome").text
    assert model_in_use() == default_model_path()  # a trial changes nothing
    page.keep("teach-outcome")
    page.one("#teach-use").click()
    page.until(lambda: page.driver.switch_to.alert).accept()
    assert page.reads("The model in use was taught at Kisumu.")
    taught = Classifier(load_model(model_in_use()), threads=1)
    assert taught.model.taught_at == "Kisumu"
    assert footer(page) == taught.model.sha256[:12]
    # A slide that nobody reviewed is told better.
    inputs, infected = slide_inputs(9, parent.input_size)
    before, after = (area(one.probabilities(inputs).astype(float), infected) for one in (parent, taught))
    assert after > before
    page.open(f"slides/{first.number}")
    assert footer(page) == taught.model.sha256[:12]  # the server judges with it, not the page alone
    page.one("#teach-undo").click()
    page.until(lambda: page.driver.switch_to.alert).accept()
    assert page.reads("The model before the teaching judges again.")
    assert model_in_use() == default_model_path()
    page.open("home")
    assert footer(page) == parent.model.sha256[:12]
    assert page.complaints() == []
