"""README's credit rule of a user's own."""

from test_readme import BLOCKS

(MINE,) = [block for block in BLOCKS if "(CreditRule):" in block]
NAME = "sparse_feedback"


def in_a_notebook(text):
    """A class that no file has."""
    made = {"__name__": "__main__"}
    exec(compile(text.partition("\n\nRULES[")[0], "cell", "exec"), made)
    return made["SparseFeedback"]
