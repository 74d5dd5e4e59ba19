"""A page on this machine only, to rate movies and see recommendations: `recommend.py --serve`.

`app.serve` starts it. A request passes the checks in `app`; `routes` answers it for the one `User`,
with `templates/page.html` in the view that the URL requests.
"""
