"""The tables of the section ``accuracy``, by which comparisons and tests find their figures."""

ALL, UNDISPUTED = "Single cells, published labels", "Single cells, undisputed"
BOXED, FOUND = "Cells cut from", "Cells found in"
CHANGED = "Loss of AUC under simulated change, undisputed cells"
AGREEMENT = "Verdicts beside those of a more exact model of the same network"
REFUSALS = "Refusing what is no red cell"
