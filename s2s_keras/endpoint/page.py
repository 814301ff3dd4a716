"""A page to try a model on."""

import html
import pathlib

import aiohttp.web

HTML = pathlib.Path(__file__).with_name("page.html")


def make_route(name):
    """Makes the route of a page that asks the endpoint which serves it.

    Args:
        name: String. The model's name.

    Returns:
        A route `/` for `make_app`.
    """
    text = HTML.read_text().replace("{{ model_name }}", html.escape(name))

    async def answer(request):
        return aiohttp.web.Response(text=text, content_type="text/html")

    return aiohttp.web.get("/", answer)
