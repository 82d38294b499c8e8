"""Which of several models the others are compared with."""

from benchmarks.harness.candidates import leading_model
from edge.inference.model_file import ModelFile, default_model_path, load_model


def test_the_leading_model_is_the_largest_in_int8() -> None:
    model = load_model(default_model_path())

    def one(precision: str, size: int) -> ModelFile:
        return ModelFile(model.path, b"0" * size, {**model.manifest, "precision": precision})

    small, large, exact = one("int8", 10), one("int8", 20), one("float16", 30)
    assert leading_model([small, exact, large]) is large
    assert leading_model([exact]) is exact
