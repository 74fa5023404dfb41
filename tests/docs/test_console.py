"""Every command that a page shows with its output is run, and prints that."""

import pytest

from tests.docs.documents import documents
from tests.docs.transcripts import difference, steps

PAGES = [page for page in documents() if page.blocks("console")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_print_what_it_shows(page, workspace):
    wrong = []
    for block in page.blocks("console"):
        for step in steps(block.text, block.line):
            actual, status = workspace.run(step.command)
            reason = difference(step.expected, actual)
            if reason is None and status != 0 and not step.expected:
                reason = f"it fails with exit status {status}"
            if reason is not None:
                wrong.append(f"{page.name}:{step.line}: $ {step.command}\n{reason}:\n{actual}")
    if wrong:
        pytest.fail("\n\n".join(wrong), pytrace=False)


def test_the_readme_has_a_session():
    """A fence that the parser does not see would be a session that nobody runs."""
    readme = next(page for page in PAGES if page.name == "README.md")
    commands = [step.command for block in readme.blocks("console") for step in steps(block.text)]
    assert len(commands) >= 6
    assert any(command.startswith("curl") and "-X PUT" in command for command in commands)
