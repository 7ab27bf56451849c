"""The web pages for people who are signed in; each module contains related pages.

How to add a page:

1. Write `pages/NAME.py`: `router = page_router(Right.…)` declares who may use its routes, and `PAGE = Page(…)`
   declares its place in the navigation. Routes take `visit: Visit` (the visitor), and get clients from
   `site_of(request).services`.
2. Write `templates/pages/NAME.html`, which extends `base.html`; a route returns `site_of(request).frame.page(request,
   visit, "NAME.html", …)`. Texts are `say("…")`, from the `*.ftl` files of both languages; related pages may have a
   separate `*.ftl` file.
3. Put styles and scripts into `static/NAME/`; the HTML must contain neither. A template passes texts to a script in
   `data-` attributes.
4. Add the `PAGE` to `PAGES` below.

A form that changes data contains `{{ form_token_field }}`. A script sends requests with `static/pages/ask.js`, which
adds the form token. Requests that change data without the token are refused. Do not check rights or tokens in a route,
because `page_router` checks them for all its routes.
"""

from typing import Final

from glas.web.frame import Page
from glas.web.pages import audit, dashboard, home, models, my_data, people, review

PAGES: Final[tuple[Page, ...]] = (
    *(home.PAGE, my_data.PAGE, review.PAGE),
    *(dashboard.PAGE, models.PAGE, people.PAGE, audit.PAGE),
)
"""All pages, in the order of the navigation."""
