"""Every Python block of every page is an interactive example, and says what Python says."""

import doctest
import io

import pytest

from tests.docs.documents import documents

PAGES = [page for page in documents() if page.blocks("python", "pycon", "py")]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_are_true(page, clone):
    clone()
    parser, runner, report = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=FLAGS), ""
    names: dict = {"__name__": "__main__"}
    for block in page.blocks("python", "pycon", "py"):
        assert block.language == "python"
        examples = parser.get_doctest(block.text, names, page.name, page.name, block.line - 1)
        assert examples.examples, f"{page.name}:{block.line}: a python block without >>>"
        out = io.StringIO()
        runner.run(examples, out=out.write, clear_globs=False)
        names = examples.globs
        report += out.getvalue()
    if report:
        pytest.fail(report, pytrace=False)
    assert runner.summarize(verbose=False).attempted > 0


def test_the_pages_that_teach_by_python_do():
    names = {page.name for page in PAGES}
    assert {"README.md", "docs/linear-algebra.md"} <= names
