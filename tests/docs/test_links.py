"""Links lead somewhere, and pictures are there."""

from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.documents import ROOT, Document, documents

PAGES = documents()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_resolve(page):
    for is_picture, target in page.links():
        parts = urlsplit(target)
        if parts.scheme:
            assert parts.scheme in {"http", "https"}, target
            assert not is_picture, f"{page.name} would load {target} from elsewhere"
            continue
        path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
        assert path.is_relative_to(ROOT), f"{page.name}: {target} leads out of the repository"
        assert path.exists(), f"{page.name}: there is no {target}"
        if parts.fragment:
            assert path.suffix == ".md", target
            assert parts.fragment in Document(path).anchors(), f"{page.name}: {target}"


def test_every_page_of_docs_can_be_reached_from_the_readme():
    todo, reached = [ROOT / "README.md"], set()
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        for _, target in Document(page).links():
            parts = urlsplit(target)
            path = (page.parent / unquote(parts.path)).resolve()
            if not parts.scheme and parts.path and path.suffix == ".md" and path.exists():
                todo.append(path)
    pages = {page.path for page in PAGES if page.name.startswith("docs/")}
    assert pages <= reached, sorted(p.name for p in pages - reached)


def test_the_readme_shows_a_picture():
    pictures = [target for is_picture, target in Document(ROOT / "README.md").links() if is_picture]
    assert pictures
