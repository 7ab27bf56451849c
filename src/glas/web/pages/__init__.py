"""The pages for which people sign in, one module for each family.

How to add a page:

1. Write `pages/NAME.py`: `router = page_router(Right.…)` declares who may use its routes, and `PAGE = Page(…)` its
   place in the navigation. Routes take `visit: Visit` (who asks) and reach clients by `site_of(request).services`.
2. Write `templates/pages/NAME.html`, which extends `base.html`; a route returns
   `site_of(request).frame.page(request, visit, "NAME.html", …)`. Words are `say("…")`, from the `*.ftl` of both
   languages; a family of pages may have a file of its own there.
3. Put styles and scripts into `static/NAME/`; the HTML must contain neither. A template gives a script its words by
   `data-` attributes.
4. Add the `PAGE` to `PAGES` below.

A form that changes something has `{{ form_token_field }}` in it; a script sends requests
with `static/pages/ask.js`, which adds the token. Without it they are refused. Do not check rights or tokens in a route:
`page_router` has done it.
"""

from typing import Final

from glas.web.frame import Page
from glas.web.pages import audit, dashboard, home, models, my_data, people, review

PAGES: Final[tuple[Page, ...]] = (
    *(home.PAGE, my_data.PAGE, review.PAGE),
    *(dashboard.PAGE, models.PAGE, people.PAGE, audit.PAGE),
)
"""All of them, in the order of the navigation."""
