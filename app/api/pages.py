"""The pages: plain files of ``app/web``, found beside the code, so that a wheel has them too."""

from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from app.addresses import restore

WEB = Path(__file__).resolve().parent.parent / "web"

# A page may carry parameters that only its scripts read, so these routes refuse none.
router = APIRouter(include_in_schema=False)
_files = StaticFiles(directory=WEB)


async def _file(name: str, request: Request) -> Response:
    response = await _files.get_response(name, request.scope)
    # Kept by the browser, asked about each time: a new version is never mixed with an old one.
    response.headers["cache-control"] = "no-cache"
    return response


@router.get("/")
async def home_page(request: Request) -> Response:
    """Send the home page."""
    return await _file("index.html", request)


@router.get("/map")
async def map_page(request: Request) -> Response:
    """Send the map."""
    return await _file("map.html", request)


@router.get("/docs")
async def docs_page(request: Request) -> Response:
    """Send the documentation of the HTTP API, which works offline."""
    return await _file("docs.html", request)


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """Send the icon to browsers that do not read the page's own link."""
    return await _file("favicon.svg", request)


@router.get("/static/{path:path}")
async def static_file(path: str, request: Request) -> Response:
    """Send a file that a page is made of."""
    return await _file(restore(path), request)
